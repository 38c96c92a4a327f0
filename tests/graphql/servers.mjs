// GraphQL Yoga and Apollo Server, each with and without persisted queries, on ports of their own: `node servers.mjs FOLDER`, where FOLDER has them in its
// node_modules. Prints `ready` and their URLs in one line, and ends with its stdin.
//
// The schema is the one of in_process.rs.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.argv[2]}/`));
const { GraphQLError } = require('graphql');
const { createSchema, createYoga } = require('graphql-yoga');
const { useAPQ } = require('@graphql-yoga/plugin-apq');
const { ApolloServer } = require('@apollo/server');
const { startStandaloneServer } = require('@apollo/server/standalone');

const typeDefs = `
  type User { id: Int!, name: String!, email: String, secret: String! }
  type Query {
    user(id: Int!): User
    users(ids: [Int!]!): [User]!
    must: Int!
    throttled: String
    bumps(of: ID!): Int!
  }
  type Mutation { bump(of: ID!): Int! }
`;

const bumps = new Map();
const fail = (message, code) => {
  throw new GraphQLError(message, code && { extensions: { code } });
};
const user = (id) => (id > 0 ? { id, name: `user ${id}` } : null);
const resolvers = {
  User: {
    email: ({ id }) => (id === 2 ? fail('no mail today') : `${id}@example.com`),
    secret: () => fail('not for you', 'FORBIDDEN'),
  },
  Query: {
    user(_, { id }, context, info) {
      // Apollo's alone.
      info.cacheControl?.setCacheHint({ maxAge: 60 });
      return user(id);
    },
    users: (_, { ids }) => ids.map(user),
    must: () => fail('it must not fail and does'),
    throttled: () => fail('too much', 'THROTTLED'),
    bumps: (_, { of }) => bumps.get(of) ?? 0,
  },
  Mutation: {
    bump(_, { of }) {
      bumps.set(of, (bumps.get(of) ?? 0) + 1);
      return bumps.get(of);
    },
  },
};

const HOST = '127.0.0.1';

async function yoga(plugins) {
  const app = createYoga({ schema: createSchema({ typeDefs, resolvers }), plugins, logging: false, graphiql: false });
  const server = createServer(app);
  await new Promise((resolve) => server.listen(0, HOST, resolve));
  return `http://${HOST}:${server.address().port}`;
}

async function apollo(settings) {
  const server = new ApolloServer({ typeDefs, resolvers, includeStacktraceInErrorResponses: false, ...settings });
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: HOST } });
  return url.replace(/\/$/, '');
}

const ready = {
  yoga: await yoga([useAPQ()]),
  yoga_plain: await yoga([]),
  apollo: await apollo({}),
  apollo_plain: await apollo({ persistedQueries: false }),
};
process.stdin.resume().on('end', () => process.exit());
console.log(`ready ${JSON.stringify(ready)}`);
