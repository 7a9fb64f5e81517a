// SPDX-License-Identifier: MIT
// Core rows on Node promises. Prints `ROW NS_PER_OP`.
// usage: node micro_node.js [call|yield|gather|sleeps_cpu|process]
'use strict';
const { performance } = require('perf_hooks');
const { spawn } = require('child_process');

const one = async () => 1;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const exited = (child) => new Promise((resolve) => child.on('exit', resolve));

function show(row, start, operations) {
  console.log(row, ((performance.now() - start) / operations * 1e6).toFixed(1));
}

async function yieldMany(n) {
  for (let i = 0; i < n; i++) await turn();
}

const rows = {
  async call() {
    const n = 2e6;
    const start = performance.now();
    let sum = 0;
    for (let i = 0; i < n; i++) sum += await one();
    show('call', start, n);
    if (sum !== n) process.exit(1);
  },
  async yield() {
    const n = 2e5;
    const start = performance.now();
    await Promise.all([yieldMany(n), yieldMany(n)]);
    show('yield', start, 2 * n);
  },
  async gather() {
    const n = 2e5;
    const start = performance.now();
    await Promise.all(Array.from({ length: n }, one));
    show('gather', start, n);
  },
  async sleeps_cpu() {
    const n = 1e5;
    const start = process.cpuUsage();
    await Promise.all(Array.from({ length: n }, (_, i) => sleep(i % 1000)));
    const spent = process.cpuUsage(start);
    console.log('sleeps_cpu', ((spent.user + spent.system) * 1e3 / n).toFixed(1));
  },
  async process() {
    const n = 100;
    const start = performance.now();
    for (let i = 0; i < n; i++) await exited(spawn('/bin/true', { stdio: 'inherit' }));
    show('process', start, n);
  },
};

(async () => {
  const only = process.argv[2];
  for (const [name, row] of Object.entries(rows)) {
    if (!only || only === name) await row();
  }
})();
