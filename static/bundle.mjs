/**
 * Bundles the few third-party packages of the pages into vendor/, one ES module each, and copies the fonts.
 * It never touches our own code: that is served as it is. Run: `node static/bundle.mjs` after `npm ci --prefix static`.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
const vendor = join(here, 'vendor');
const scratch = join(modules, '.vendor');

/** What each vendored module exports. */
const BUNDLES = [
  {
    file: 'lit.js',
    source: `export * from 'lit'; export { repeat } from 'lit/directives/repeat.js';
      export { ref, createRef } from 'lit/directives/ref.js'; export { live } from 'lit/directives/live.js';
      export { ifDefined } from 'lit/directives/if-defined.js';`,
  },
  {
    file: 'socket.io.js',
    source: `export { io } from 'socket.io-client';`,
  },
  {
    file: 'timing.js',
    source: `export { TimingObject } from 'timing-object'; export { setTimingsrc, createSetTimingsrc } from 'timingsrc';`,
  },
  {
    file: 'fluent.js',
    source: `export { FluentBundle, FluentResource } from '@fluent/bundle'; export { negotiateLanguages } from '@fluent/langneg';`,
  },
];

/** Scripts we show; other subsets of the fonts (Vietnamese, Devanagari, Greek …) are left out. */
const FONTS = [
  { package: '@fontsource-variable/noto-sans', css: 'wght.css', subsets: /noto-sans-(cyrillic-ext|cyrillic|latin-ext|latin)-wght-normal/ },
  { package: '@fontsource-variable/noto-sans-kr', css: 'wght.css', subsets: /noto-sans-kr-\[?\d+\]?-wght-normal|noto-sans-kr-\d+/ },
];

/** @param {string} name */
function manifest(name) {
  return JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
}

/** @param {string} path */
function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * @param {string[]} inputs paths of the files esbuild read
 * @returns {string[]} names of the packages they belong to
 */
function packagesIn(inputs) {
  const names = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** @returns {Promise<string[]>} rows of VENDOR.md */
async function bundleModules() {
  const rows = [];
  for (const bundle of BUNDLES) {
    const { metafile } = await build({
      stdin: { contents: bundle.source, resolveDir: here, sourcefile: bundle.file },
      outfile: join(scratch, bundle.file),
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: ['chrome110', 'firefox115', 'safari16'],
      mainFields: ['browser', 'module', 'main'],
      minify: true,
      legalComments: 'eof',
      define: { 'process.env.NODE_ENV': '"production"' },
      logLevel: 'warning',
      metafile: true,
    });
    const hash = sha256(join(scratch, bundle.file));
    for (const name of packagesIn(Object.keys(metafile.inputs))) {
      const { version, license } = manifest(name);
      rows.push(`| ${bundle.file} | ${name} | ${version} | ${license} | ${hash} |`);
    }
  }
  return rows;
}

/** @returns {string[]} rows of VENDOR.md */
function copyFonts() {
  const rows = [];
  let css = '';
  mkdirSync(join(scratch, 'fonts'));
  for (const font of FONTS) {
    const root = join(modules, font.package);
    const { version, license } = manifest(font.package);
    const faces = readFileSync(join(root, font.css), 'utf8').match(/@font-face\s*{[^}]*}/g) ?? [];
    const digest = createHash('sha256');
    for (const face of faces) {
      const file = /url\(\.\/files\/([^)]+)\)/.exec(face)?.[1];
      if (!file || !font.subsets.test(file)) continue;
      cpSync(join(root, 'files', file), join(scratch, 'fonts', file));
      digest.update(readFileSync(join(root, 'files', file)));
      css += face.replace(`./files/${file}`, `fonts/${file}`).replace('woff2-variations', 'woff2') + '\n';
    }
    rows.push(`| fonts.css, fonts/ | ${font.package} | ${version} | ${license} | ${digest.digest('hex')} |`);
  }
  writeFileSync(join(scratch, 'fonts.css'), css);
  return rows;
}

rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });
const rows = [...(await bundleModules()), ...copyFonts()];
writeFileSync(
  join(scratch, 'VENDOR.md'),
  [
    '# Third-party files of the pages',
    '',
    'Made by `node static/bundle.mjs` from the versions pinned in `package-lock.json`; not edited by hand.',
    '',
    '| file | package | version | licence | SHA-256 |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
);
rmSync(vendor, { recursive: true, force: true });
renameSync(scratch, vendor);
process.stdout.write(`static/vendor: ${rows.length} packages\n`);
