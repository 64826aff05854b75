// The hosted page's signer: a passkey of this page's own domain, where the scenario requires a device's key.

const pack = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

// Where a key is only preferred nobody is asked: the page is not told whether the person has one.
export async function passkey({ challenge, policy }) {
  if (policy !== "required") return null;
  const { id, type, response } = await navigator.credentials.get({
    publicKey: { challenge, userVerification: "preferred" },
  });
  const { clientDataJSON, authenticatorData, signature } = response;
  const said = { clientDataJSON, authenticatorData, signature };
  const packed = Object.fromEntries(Object.entries(said).map(([name, bytes]) => [name, pack(bytes)]));
  return { kind: "webauthn", assertion: { id, rawId: id, type, response: packed } };
}
