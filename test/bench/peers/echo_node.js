// SPDX-License-Identifier: MIT
// Echo on node:net or node:tls. usage: node echo_node.js PORT|PATH [CERT KEY]
'use strict';
const fs = require('fs');
const net = require('net');
const tls = require('tls');

const [where, cert, key] = process.argv.slice(2);
const serve = (socket) => {
  socket.setNoDelay(true);
  socket.on('data', (data) => socket.write(data));
  socket.on('error', () => {}); // the load generator hung up
};
const server = cert
  ? tls.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, serve)
  : net.createServer(serve);
server.on('tlsClientError', () => {}); // the harness only looks whether somebody listens
if (where.includes('/')) server.listen(where);
else server.listen(Number(where), '127.0.0.1');
