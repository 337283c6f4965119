// SPDX-License-Identifier: LGPL-2.1-or-later
// A host of one file, as people write it with node: node file_server.js FILE. Prints the port.
'use strict';
const fs = require('fs');
const http = require('http');

const [, , file] = process.argv;
const { size } = fs.statSync(file);

const server = http.createServer((request, response) => {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range || '');
  const start = range ? Number(range[1]) : 0;
  const end = range && range[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  const headers = { 'Content-Type': 'video/mp4', 'Accept-Ranges': 'bytes', ETag: '"one"', 'Content-Length': end - start + 1 };
  if (range) headers['Content-Range'] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  fs.createReadStream(file, { start, end }).pipe(response);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
