// Owns how a passkey's bytes travel: as base64url in JSON (Web Authentication Level 3, toJSON), in browsers old and new.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

/** A new passkey, for what the server asked; rejects when nobody made one. */
export async function made({ publicKey }) {
  const options = { ...publicKey, challenge: bytes(publicKey.challenge), excludeCredentials: named(publicKey.excludeCredentials) };
  options.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
  return plain(await navigator.credentials.create({ publicKey: options }));
}

/** A passkey that the account has; rejects when nobody gave one. */
export async function given({ publicKey }) {
  const options = { ...publicKey, challenge: bytes(publicKey.challenge), allowCredentials: named(publicKey.allowCredentials) };
  return plain(await navigator.credentials.get({ publicKey: options }));
}

function plain(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  const clientExtensionResults = credential.getClientExtensionResults();
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults };
}
