#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Signs a file with C2PA, for `aimlvideo generate --sign-with "node .../sign.mjs CERTIFICATES KEY"`, which adds FILE and
// CLAIM. It needs the library of the Content Authenticity Initiative beside it:
//
//   npm install --ignore-scripts @contentauth/c2pa-node@0.5.5
//
// CERTIFICATES is a chain in PEM, the signer's first; KEY its private key (ES256, PKCS#8, PEM).
import { readFileSync, renameSync } from 'node:fs';
import { Builder, LocalSigner, Reader } from '@contentauth/c2pa-node';

const [certificates, key, file, claim] = process.argv.slice(2);
if (!claim) {
  console.error('usage: sign.mjs CERTIFICATES KEY FILE CLAIM');
  process.exit(2);
}
const definition = JSON.parse(readFileSync(claim, 'utf8'));
const source = { path: file, mimeType: definition.format };
// what somebody has signed already stays in the file, as what this one was made of
const isSigned = await Reader.fromAsset(source);
if (isSigned) delete definition.assertions;
const builder = Builder.withJson(definition);
if (isSigned) builder.setIntent('edit');
const signer = LocalSigner.newSigner(readFileSync(certificates), readFileSync(key), 'es256');
const signed = `signed-${file}`;
builder.sign(signer, source, { path: signed, mimeType: definition.format });
renameSync(signed, file);
