// SPDX-License-Identifier: MIT
// Hello on node:http, as a Node user would write it. usage: node http_node.js PORT
'use strict';
const http = require('http');

http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 13 });
  response.end('Hello, World!');
}).listen(Number(process.argv[2]), '127.0.0.1');
