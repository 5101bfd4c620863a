// An OpenID provider for the tests: everybody signs in under the name they give. Its own login and consent pages are used as they are.
// Environment: PORT; OTHER_PORT is a second issuer with the same keys; KEYS are those, as a JSON list; AUDIENCE is the only resource that its access tokens are made for,
// besides the one of somebody else.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { PORT, OTHER_PORT, AUDIENCE, KEYS } = process.env;
const ELSEWHERE = 'urn:somebody:else';
const HASTY_SECONDS = 1;
// The portal renews tokens a minute before they expire.
const PORTAL_SECONDS = 62;

const keys = JSON.parse(KEYS);

const person = {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
};
// The portal: a native client, because its port differs from run to run.
const portal = {
  ...person,
  client_id: 'cleio-portal',
  client_secret: 'of-the-tests',
  token_endpoint_auth_method: 'client_secret_basic',
  redirect_uris: ['http://127.0.0.1/sign-in/callback'],
  post_logout_redirect_uris: ['http://127.0.0.1/'],
  grant_types: ['authorization_code', 'refresh_token'],
};
const program = {
  client_secret: 'of-the-tests',
  token_endpoint_auth_method: 'client_secret_post',
  redirect_uris: [],
  grant_types: ['client_credentials'],
  response_types: [],
};

function provider(port) {
  return new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      { ...person, client_id: 'cleio' },
      // Its ID tokens are meant for the same name as our access tokens.
      { ...person, client_id: AUDIENCE },
      portal,
      { ...program, client_id: 'planning' },
      { ...program, client_id: 'unknown-here' },
      { ...program, client_id: 'hasty' },
    ],
    jwks: { keys },
    cookies: { keys: ['of-the-tests'] },
    features: {
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (context, resource, client) => ({
          scope: '',
          audience: [AUDIENCE, ELSEWHERE].includes(resource) ? resource : undefined,
          accessTokenTTL: { hasty: HASTY_SECONDS, 'cleio-portal': PORTAL_SECONDS }[client.clientId] ?? 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    // That of access tokens is told above, by resource.
    ttl: { AuthorizationCode: 60, IdToken: 600, Grant: 600, Interaction: 600, RefreshToken: 600, Session: 600 },
  });
}

for (const port of [PORT, OTHER_PORT]) {
  createServer(provider(port).callback()).listen(Number(port), '127.0.0.1', () => console.log(`listening ${port}`));
}
