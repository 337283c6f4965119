// SPDX-License-Identifier: LGPL-2.1-or-later
// HTTP/2 by node in front of the emulator: node front.js '{"port": 0, "backend": PORT, "key": FILE, "cert": FILE, ...}'
// Prints the port. See Node in fronts.py for the settings.
'use strict';
const fs = require('fs');
const http2 = require('http2');
const https = require('https');

const wanted = JSON.parse(process.argv[2]);
const { constants } = http2;
const codes = {
  refuse: constants.NGHTTP2_REFUSED_STREAM, cancel: constants.NGHTTP2_CANCEL, internal: constants.NGHTTP2_INTERNAL_ERROR,
  calm: constants.NGHTTP2_ENHANCE_YOUR_CALM, protocol: constants.NGHTTP2_PROTOCOL_ERROR, 'no-error': constants.NGHTTP2_NO_ERROR,
};
let left = wanted.fault ? wanted.fault.times : 0;

function phaseOf(method, path) {
  if (method === 'POST') return 'create';
  if (path.startsWith('/clips/')) return 'clip';
  if (path.startsWith('/v2/logs')) return 'logs';
  return path.includes('generation') ? 'poll' : 'other';
}

function strike(response, how, status, headers, body) {
  const stream = response.stream;
  const session = stream && stream.session;
  if (!session) return response.socket.destroy(); // HTTP/1.1
  if (how in codes) return stream.close(codes[how]);
  if (how === 'goaway') { session.goaway(constants.NGHTTP2_NO_ERROR, stream.id); return stream.close(constants.NGHTTP2_CANCEL); }
  if (how === 'goaway-zero') { session.goaway(constants.NGHTTP2_NO_ERROR, 0); return setTimeout(() => session.destroy(), 20); }
  if (how === 'destroy') return session.destroy();
  if (how === '421') { response.writeHead(421); return response.end(); }
  response.writeHead(status, headers);
  if (how === 'empty') return response.end();
  response.write(body.subarray(0, body.length >> 1)); // half
  setTimeout(() => stream.close(codes.internal), 20);
}

function passOn(request, content, done) {
  const headers = {};
  for (const [name, value] of Object.entries(request.headers))
    if (!name.startsWith(':') && !['connection', 'te', 'host'].includes(name)) headers[name] = value;
  headers.host = request.headers[':authority'] || request.headers.host;
  const there = https.request({ host: '127.0.0.1', port: wanted.backend, method: request.method, path: request.url, headers,
    rejectUnauthorized: false }, (answer) => {
    const blocks = [];
    answer.on('data', (block) => blocks.push(block));
    answer.on('end', () => done(answer.statusCode, answer.headers, Buffer.concat(blocks)));
  });
  there.on('error', () => done(502, {}, Buffer.from('')));
  there.end(content);
}

function reply(response, status, headers, body, phase) {
  for (const name of ['connection', 'keep-alive', 'transfer-encoding']) delete headers[name];
  if (response.stream && wanted.hints) response.writeEarlyHints({ link: '</a>; rel=preload' });
  const trailers = wanted.trailers === 'of all' || (wanted.trailers && phase === 'clip');
  if (trailers && !response.stream) delete headers['content-length']; // HTTP/1.1 has them behind chunks only
  if (trailers) response.setHeader('trailer', 'x-sum');
  response.writeHead(status, headers);
  if (trailers) response.addTrailers({ 'x-sum': '1' });
  if (!wanted.piece) return response.end(body);
  for (let at = 0; at < body.length; at += wanted.piece) response.write(body.subarray(at, at + wanted.piece));
  response.end();
}

const server = http2.createSecureServer({ key: fs.readFileSync(wanted.key), cert: fs.readFileSync(wanted.cert),
  allowHTTP1: true, settings: wanted.settings }, (request, response) => {
  const blocks = [];
  request.on('error', () => {});
  response.on('error', () => {});
  request.on('data', (block) => blocks.push(block));
  request.on('end', () => {
    const phase = phaseOf(request.method, request.url);
    const struck = left > 0 && wanted.fault.phase === phase;
    if (struck) left -= 1;
    if (struck && !wanted.fault.passesOn && !['half', 'empty'].includes(wanted.fault.how))
      return strike(response, wanted.fault.how);
    const session = response.stream && response.stream.session;
    const last = session && wanted.goawayAfter && (session.answered = (session.answered || 0) + 1) === wanted.goawayAfter;
    const goaway = () => session.close(); // after what is under way
    if (last && !wanted.goawayEarly) response.stream.on('close', goaway);
    passOn(request, Buffer.concat(blocks), (status, headers, body) => {
      if (struck) strike(response, wanted.fault.how, status, headers, body);
      else if (!response.stream || !response.stream.destroyed) reply(response, status, headers, body, phase);
      if (last && wanted.goawayEarly) goaway();
    });
  });
});
server.on('sessionError', () => {});
server.on('clientError', () => {});
process.on('SIGTERM', () => process.exit(0));
server.listen(wanted.port, '127.0.0.1', () => console.log(server.address().port));
