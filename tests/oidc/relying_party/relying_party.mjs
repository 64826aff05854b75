// A relying party on openid-client. It prints where to send the browser, reads where the browser came back to, and
// prints what it learnt. Arguments: issuer, client id, client secret, redirect address, account.
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const [issuer, clientId, secret, redirect_uri, login_hint] = process.argv.slice(-5);

const config = await client.discovery(new URL(issuer), clientId, secret, undefined, {
  execute: [client.allowInsecureRequests], // the test's server has no TLS
});
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const away = client.buildAuthorizationUrl(config, {
  redirect_uri,
  login_hint,
  scope: "openid offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
  nonce: expectedNonce,
});
console.log(away.href);

const lines = createInterface({ input: process.stdin });
const back = new URL((await lines[Symbol.asyncIterator]().next()).value);
lines.close();

const tokens = await client.authorizationCodeGrant(config, back, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
  maxAge: 60,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const again = await client.fetchUserInfo(config, refreshed.access_token, claims.sub);
await client.tokenRevocation(config, refreshed.refresh_token);
const ended = await client.refreshTokenGrant(config, refreshed.refresh_token).then(
  () => "refreshed",
  (error) => error.error,
);
const logout = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: "https://shop.example/bye",
});
console.log(JSON.stringify({ claims, userinfo, again, ended, logout: logout.href }));
