// The senders' own libraries, and what senders without one write in their docs: `node sdks.mjs FOLDER`, where FOLDER has them in its
// node_modules. Reads a question a line as JSON, answers each with a line, and ends with its stdin.
//
// {op: 'sign', sdk, key, seconds, id, body} is answered by {headers}, {op: 'verify', sdk, key, headers, body} by {ok} and {why}. Bodies are in base64. What a
// library throws while it signs is an answer too: {why}.

import { createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const folder = pathToFileURL(`${process.argv[2]}/`);
const require = createRequire(folder);
const standardwebhooks = require('standardwebhooks');
const svix = require('svix');
const stripe = require('stripe');
const octokit = await import(new URL('node_modules/@octokit/webhooks-methods/dist-node/index.js', folder));
const { webhooks } = stripe.default ?? stripe;

const TOLERANCE = 300;

function check(is, why) {
  if (!is) throw new Error(why);
}

function inTime(text) {
  check(Math.abs(Date.now() / 1000 - Number(text)) <= TOLERANCE, 'out of the window');
}

function equal(a, b) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  check(left.length === right.length && timingSafeEqual(left, right), 'another signature');
}

/** The library of Standard Webhooks, and Svix's, which is made of another version of it. */
function standard(Webhook, prefix) {
  return {
    sign({ key, seconds, id, body }) {
      const signature = new Webhook(key).sign(id, new Date(seconds * 1000), body.toString());
      return { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: String(seconds), [`${prefix}-signature`]: signature };
    },
    verify({ key, headers, body }) {
      try {
        new Webhook(key).verify(body.toString(), headers);
      } catch (error) {
        // It was verified, and then was no JSON.
        if (!(error instanceof SyntaxError)) throw error;
      }
    },
  };
}

function hmac(key, ...pieces) {
  const mac = createHmac('sha256', key);
  pieces.forEach((piece) => mac.update(piece));
  return mac;
}

// Keys of Ed25519 are 32 bytes behind these (RFC 8410).
const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b6570032100', 'hex');

const sdks = {
  standardwebhooks: standard(standardwebhooks.Webhook, 'webhook'),
  svix: standard(svix.Webhook, 'svix'),
  stripe: {
    sign({ key, seconds, body }) {
      const payload = body.toString();
      return { 'stripe-signature': webhooks.generateTestHeaderString({ payload, secret: key, timestamp: seconds }) };
    },
    verify({ key, headers, body }) {
      check(webhooks.signature.verifyHeader(body, headers['stripe-signature'], key, TOLERANCE), 'refused');
    },
  },
  octokit: {
    async sign({ key, id, body }) {
      return { 'x-hub-signature-256': await octokit.sign(key, body.toString()), 'x-github-delivery': id };
    },
    async verify({ key, headers, body }) {
      check(await octokit.verify(key, body.toString(), headers['x-hub-signature-256']), 'refused');
    },
  },
  // docs.slack.dev/authentication/verifying-requests-from-slack
  slack: {
    sign({ key, seconds, body }) {
      const signature = `v0=${hmac(key, `v0:${seconds}:`, body).digest('hex')}`;
      return { 'x-slack-request-timestamp': String(seconds), 'x-slack-signature': signature };
    },
    verify({ key, headers, body }) {
      const timestamp = headers['x-slack-request-timestamp'];
      inTime(timestamp);
      equal(`v0=${hmac(key, `v0:${timestamp}:`, body).digest('hex')}`, headers['x-slack-signature']);
    },
  },
  // shopify.dev/docs/apps/build/webhooks/subscribe/https
  shopify: {
    sign({ key, id, body }) {
      return { 'x-shopify-hmac-sha256': hmac(key, body).digest('base64'), 'x-shopify-event-id': id };
    },
    verify({ key, headers, body }) {
      equal(hmac(key, body).digest('base64'), headers['x-shopify-hmac-sha256']);
    },
  },
  // discord.com/developers/docs/interactions/overview. The key is a private one, of which the docs' half is the public one.
  discord: {
    sign({ key, seconds, body }) {
      const pair = createPrivateKey({ key: Buffer.concat([PRIVATE, Buffer.from(key.slice(0, 64), 'hex')]), format: 'der', type: 'pkcs8' });
      const signature = sign(null, Buffer.concat([Buffer.from(String(seconds)), body]), pair);
      return { 'x-signature-timestamp': String(seconds), 'x-signature-ed25519': signature.toString('hex') };
    },
    verify({ key, headers, body }) {
      const timestamp = headers['x-signature-timestamp'];
      inTime(timestamp);
      const half = createPublicKey({ key: Buffer.concat([PUBLIC, Buffer.from(key.slice(64), 'hex')]), format: 'der', type: 'spki' });
      const message = Buffer.concat([Buffer.from(timestamp), body]);
      check(verify(null, message, half, Buffer.from(headers['x-signature-ed25519'], 'hex')), 'another signature');
    },
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  question.body = Buffer.from(question.body, 'base64');
  const sdk = sdks[question.sdk];
  let answer;
  try {
    if (question.op === 'sign') {
      answer = { headers: await sdk.sign(question) };
    } else {
      await sdk.verify(question);
      answer = { ok: true };
    }
  } catch (error) {
    answer = { ok: false, why: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
