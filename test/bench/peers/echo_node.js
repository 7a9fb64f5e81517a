// SPDX-License-Identifier: MIT
// TCP echo on node:net. usage: node echo_node.js PORT
'use strict';
const net = require('net');

net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('data', (data) => socket.write(data));
  socket.on('error', () => {}); // the load generator hung up
}).listen(Number(process.argv[2]), '127.0.0.1');
