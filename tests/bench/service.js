// SPDX-License-Identifier: LGPL-2.1-or-later
// A small service for many.py that knows the routes of a generation and counts what its clients cost it:
//
//   node service.js '{"seconds": 37, "clip": FILE}'
//   node service.js '{"seconds": 37, "clip": FILE, "tls": {"cert": FILE, "key": FILE}, "http2": true}'
//   node service.js '{"stall": 10, "clip": FILE}'
//
// With "stall" the second half of a clip comes so many seconds after the first, and who asks for one counts as accepted.
//
// Prints its port. A generation ends so many seconds after it was created; one whose prompt begins with "warm" at once.
// On standard input: "reset" forgets the counts, "report" asks for them, "report all" with the delays of all. Each answer
// is a line of JSON; times are seconds of CLOCK_MONOTONIC. It asks for a key and does not care which, since the clients are measured and not the service.
'use strict';
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const readline = require('readline');

const wanted = JSON.parse(process.argv[2]);
const clip = fs.readFileSync(wanted.clip);
const path = '/v2/video/generations';
const now = () => Number(process.hrtime.bigint()) / 1e9;

const generations = new Map(); // id -> { ends, known }
let number = 0; // of those that are accepted
let countedFrom, counts, prompts, delays, began, last;

function reset() {
  // first: connections by what their first request was for
  counts = { connections: 0, handshakes: 0, resumed: 0, first: {}, requests: {} };
  prompts = new Map(); // prompt -> how often it was created
  delays = []; // seconds from a completion until a client was told
  countedFrom = number;
  began = last = 0; // the first request and the latest accept
}
reset();

function print(what) {
  fs.writeSync(1, JSON.stringify(what) + '\n');
}

function accept() {
  number += 1;
  last = now();
}

function json(response, status, body) {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  response.end(text);
}

function create(response, text) {
  const { prompt } = JSON.parse(text);
  const id = `g${number}:bench/model`;
  generations.set(id, { ends: now() + (prompt.startsWith('warm') ? 0 : wanted.seconds), known: false });
  prompts.set(prompt, (prompts.get(prompt) || 0) + 1);
  json(response, 201, { id, status: 'queued', meta: { usage: { credits_used: 910000, usd_spent: 0.455 } } });
  accept();
}

function poll(request, response) {
  const id = new URL(request.url, 'http://bench').searchParams.get('generation_id');
  const generation = generations.get(id);
  if (!generation) return json(response, 404, { message: 'Generation not found', statusCode: '404' });
  const since = now() - generation.ends;
  if (since < 0) return json(response, 200, { id, status: 'generating', video: null });
  if (!generation.known) delays.push(since);
  generation.known = true;
  const host = request.headers[':authority'] || request.headers.host;
  const url = `${wanted.tls ? 'https' : 'http'}://${host}/clips/${encodeURIComponent(id)}.mp4`;
  json(response, 200, { id, status: 'completed', video: { url } });
}

function download(request, response) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range || '');
  const first = range ? Number(range[1]) : 0;
  const end = range && range[2] ? Math.min(Number(range[2]) + 1, clip.length) : clip.length;
  const headers = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes', 'etag': '"clip"' };
  if (first >= end) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${clip.length}`, 'content-length': 0 });
    return response.end();
  }
  if (range) headers['content-range'] = `bytes ${first}-${end - 1}/${clip.length}`;
  response.writeHead(range ? 206 : 200, { ...headers, 'content-length': end - first });
  if (!wanted.stall) return response.end(clip.subarray(first, end));
  response.write(clip.subarray(first, (first + end) >> 1));
  setTimeout(() => response.end(clip.subarray((first + end) >> 1, end)), wanted.stall * 1000);
  accept();
}

function kindOf(request) {
  if (request.url.startsWith('/clips/')) return 'clip';
  if (!request.url.startsWith(path)) return 'other';
  return request.method === 'POST' ? 'create' : 'poll';
}

function handle(request, response) {
  const kind = kindOf(request);
  began = began || now();
  counts.requests[kind] = (counts.requests[kind] || 0) + 1;
  const connection = request.stream ? request.stream.session : request.socket;
  if (!connection.known) {
    connection.known = true;
    counts.first[kind] = (counts.first[kind] || 0) + 1;
  }
  if (kind === 'clip') return download(request, response);
  if (!request.headers.authorization) return json(response, 401, { message: 'This request requires a valid API key' });
  if (kind === 'poll') return poll(request, response);
  if (kind !== 'create') return json(response, 404, { message: `Cannot ${request.method} ${request.url}`, statusCode: '404' });
  const blocks = [];
  request.on('data', (block) => blocks.push(block));
  request.on('end', () => create(response, Buffer.concat(blocks)));
}

const secured = wanted.tls && { cert: fs.readFileSync(wanted.tls.cert), key: fs.readFileSync(wanted.tls.key) };
const server = !secured ? http.createServer(handle)
  : wanted.http2 ? http2.createSecureServer({ ...secured, allowHTTP1: true }, handle)
    : https.createServer(secured, handle);
server.keepAliveTimeout = 75_000; // as nginx has it; node's own 5 s would have connections made anew for every poll
server.on('connection', () => { counts.connections += 1; });
server.on('secureConnection', (socket) => {
  counts.handshakes += 1;
  if (socket.isSessionReused()) counts.resumed += 1;
});
server.on('clientError', (_, socket) => socket.destroy());
server.on('sessionError', () => {});
server.on('tlsClientError', () => {});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'reset') {
    reset();
    print({});
  } else if (line.startsWith('report')) {
    const twice = [...prompts.values()].filter((times) => times > 1).length;
    print({ ...counts, accepted: number - countedFrom, began, last, twice, delays: line === 'report all' ? delays : [] });
  }
}).on('close', () => process.exit(0));

server.listen({ port: 0, host: '127.0.0.1', backlog: 16384 }, () => print({ port: server.address().port }));
