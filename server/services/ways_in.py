"""The use cases of signing in, together."""

from __future__ import annotations

from dataclasses import dataclass

from server.services.context import Context
from server.services.limiting import Attempts
from server.services.passkeys import Passkeys
from server.services.passwords import Passwords
from server.services.resets import Resets
from server.services.second_step_resets import SecondStepResets
from server.services.second_steps import SecondSteps
from server.services.secret_box import SecretBox
from server.services.signing_in import SigningIn
from server.services.single_sign_on import SingleSignOn


@dataclass(frozen=True, slots=True)
class WaysIn:
    signing_in: SigningIn
    second_steps: SecondSteps
    passkeys: Passkeys
    resets: Resets
    second_step_resets: SecondStepResets
    single_sign_on: SingleSignOn


def ways_in_of(context: Context, passwords: Passwords, attempts: Attempts) -> WaysIn:
    steps = SecondSteps(context, attempts, SecretBox(context.settings.secrets_dir))
    signing_in = SigningIn(context, passwords, attempts, steps)
    return WaysIn(
        signing_in=signing_in,
        second_steps=steps,
        passkeys=Passkeys(context, attempts, signing_in),
        resets=Resets(context, passwords, attempts),
        second_step_resets=SecondStepResets(context),
        single_sign_on=SingleSignOn(context, attempts, signing_in),
    )
