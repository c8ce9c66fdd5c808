/** Passkeys as browsers want them (bytes) and as the wire has them (base64url). It must not decide anything. */

export const canPasskey = () => 'PublicKeyCredential' in globalThis && Boolean(navigator.credentials);

/** @param {string} text @returns {ArrayBuffer} */
const bytes = (text) => {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (each) => each.charCodeAt(0)).buffer;
};

/** @param {ArrayBuffer | null} buffer */
const text = (buffer) =>
  buffer === null ? null : btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** @param {any[]} [list] */
const credentials = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));

/**
 * @param {any} options from the server
 * @returns {Promise<object>} what the server checks. Throws when the person or the browser says no.
 */
export async function usePasskey(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: credentials(options.allowCredentials) };
  const made = /** @type {any} */ (await navigator.credentials.get({ publicKey }));
  const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
  const response = { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: text(userHandle) };
  return { id: made.id, rawId: text(made.rawId), type: made.type, response };
}

/** @param {any} options from the server */
export async function makePasskey(options) {
  const user = { ...options.user, id: bytes(options.user.id) };
  const publicKey = { ...options, user, challenge: bytes(options.challenge), excludeCredentials: credentials(options.excludeCredentials) };
  const made = /** @type {any} */ (await navigator.credentials.create({ publicKey }));
  const { clientDataJSON, attestationObject } = made.response;
  return { id: made.id, rawId: text(made.rawId), type: made.type, response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) } };
}

/**
 * @param {unknown} error of one of these
 * @returns {string} a stable code
 */
export function passkeyProblem(error) {
  if (!(error instanceof DOMException)) return 'passkey_refused';
  return error.name === 'InvalidStateError' ? 'passkey_known' : 'passkey_stopped';
}
