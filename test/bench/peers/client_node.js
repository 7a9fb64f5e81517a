// SPDX-License-Identifier: MIT
// node:http with a keep-alive agent, or the global fetch: CONNS at a time, N GETs. Prints N.
// usage: node client_node.js http|fetch PORT N CONNS PATH
'use strict';
const http = require('http');

const [kind, port, total, connections, path] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) });
let unsent = Number(total);
let done = 0;

async function byFetch() {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  await response.arrayBuffer();
}

function byAgent() {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.on('data', () => {});
      response.on('end', resolve);
    }).on('error', reject);
  });
}

const get = kind === 'fetch' ? byFetch : byAgent;

async function worker() {
  while (unsent-- > 0) {
    await get();
    done++;
  }
}

Promise.all(Array.from({ length: Number(connections) }, worker)).then(() => {
  console.log(done);
  process.exit(0);
});
