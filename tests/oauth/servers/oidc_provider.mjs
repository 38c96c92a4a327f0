// oidc-provider on a port of its own: `node oidc_provider.mjs FOLDER`, where FOLDER has it in its node_modules. Prints
// `ready` and what the tests need to know, in one line, and ends with its stdin.
//
// Beside its endpoints: `/resource` answers whose token it was asked with; `DELETE /tokens` forgets all access tokens of
// users, though their sessions go on; `/log` answers which other requests came.

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const folder = pathToFileURL(`${process.argv[2]}/`);
const { Provider } = await import(new URL('node_modules/oidc-provider/lib/index.js', folder));

const CALLBACK = 'http://127.0.0.1/callback';
const CODE = { redirect_uris: [CALLBACK], grant_types: ['authorization_code', 'refresh_token'] };
const MACHINE = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
/** Seconds that access tokens of the client `brief` live. */
const BRIEF = 2;
/** Everything that means something in a form, in a URI or in Basic. The server takes none but ASCII. */
const RESERVED = { client_id: 'a:b+c%2B d&e=f/g?', client_secret: '%41:p+q r&s=t"\\u~?#%' };

/** A key pair of this run: the private half for the tests, the public one for the server. */
function keyPair(type, options) {
  // As texts: Node.js 20 locks itself out now and then when one of a pair of objects is exported.
  const { privateKey, publicKey } = generateKeyPairSync(type, {
    ...options,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { pem: privateKey, jwks: { keys: [createPublicKey(publicKey).export({ format: 'jwk' })] } };
}
const es256 = keyPair('ec', { namedCurve: 'P-256' });
const eddsa = keyPair('ed25519');

const clients = [
  { ...CODE, client_id: 'web', client_secret: 'web secret' },
  // As an app is one: it has no secret, and takes any port of the loopback.
  { ...CODE, client_id: 'app', token_endpoint_auth_method: 'none', application_type: 'native' },
  {
    client_id: 'device',
    token_endpoint_auth_method: 'none',
    redirect_uris: [],
    response_types: [],
    grant_types: [DEVICE, 'refresh_token'],
  },
  { ...MACHINE, client_id: 'basic', client_secret: 'basic secret' },
  { ...MACHINE, client_id: 'brief', client_secret: 'brief secret' },
  { ...MACHINE, client_id: 'none', token_endpoint_auth_method: 'none' },
  { ...MACHINE, ...RESERVED },
  { ...MACHINE, client_id: 'post', client_secret: 'post&secret=+%', token_endpoint_auth_method: 'client_secret_post' },
  { ...MACHINE, client_id: 'es256', token_endpoint_auth_method: 'private_key_jwt', jwks: es256.jwks },
  { ...MACHINE, client_id: 'eddsa', token_endpoint_auth_method: 'private_key_jwt', jwks: eddsa.jwks },
];

const settings = {
  clients,
  scopes: ['openid', 'offline_access', 'read'],
  cookies: { keys: ['not a secret: it ends with the test'] },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
  },
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: { ClientCredentials: (_, __, client) => (client.clientId === 'brief' ? BRIEF : 600) },
};

/** How the client has said who it is. */
function clientAuth(ctx) {
  const params = ctx.oidc.params ?? {};
  if (/^basic /i.test(ctx.get('authorization'))) return 'basic';
  if (params.client_assertion) return 'jwt';
  return params.client_secret ? 'post' : 'none';
}

const log = [];

async function keepLog(ctx, next) {
  if (ctx.path === '/log') {
    ctx.body = log;
    return;
  }
  await next();
  const { method, path, status } = ctx;
  const params = ctx.oidc?.params;
  log.push({ method, path, status, client_auth: params && clientAuth(ctx), grant_type: params?.grant_type });
}

/** Access tokens that were given, to be forgotten. */
const given = new Set();

async function resource(ctx, next) {
  if (ctx.method === 'DELETE' && ctx.path === '/tokens') {
    await Promise.all([...given].map((token) => token.destroy()));
    given.clear();
    ctx.status = 204;
    return;
  }
  if (ctx.path !== '/resource') {
    await next();
    return;
  }
  const [scheme, token] = ctx.get('authorization').split(' ');
  const isBearer = token && /^bearer$/i.test(scheme);
  const found = isBearer && (await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token));
  if (found?.isValid) {
    ctx.body = found.accountId ?? found.clientId;
  } else {
    ctx.status = 401;
    ctx.set('www-authenticate', isBearer ? 'Bearer error="invalid_token"' : 'Bearer');
  }
}

/** It says none, which is 5 (RFC 8628 section 3.2). */
async function brisk(ctx, next) {
  await next();
  if (ctx.oidc?.route === 'device_authorization' && ctx.status === 200) ctx.body.interval = 1;
}

const server = createServer().listen(0, '127.0.0.1');
await new Promise((listening) => { server.once('listening', listening); });
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, settings);
provider.on('access_token.saved', (token) => given.add(token));
provider.use(keepLog);
provider.use(resource);
provider.use(brisk);
server.on('request', provider.callback());

process.stdin.on('end', () => process.exit()).resume();
const { client_id: reserved_id, client_secret: reserved_secret } = RESERVED;
console.log('ready', JSON.stringify({ issuer, es256: es256.pem, eddsa: eddsa.pem, reserved_id, reserved_secret }));
