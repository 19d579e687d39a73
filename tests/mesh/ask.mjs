// One HTTP request from inside a namespace: `node ask.mjs` reads
// `{ url, method, headers, body | bytes }` from standard input and prints
// `{ status, headers, body }`. `bytes` is a body of so many spaces.

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { url, method = 'GET', headers = {}, body, bytes } = JSON.parse(Buffer.concat(chunks));
try {
  const response = await fetch(url, { method, headers, body: bytes ? ' '.repeat(bytes) : body, redirect: 'manual' });
  console.log(JSON.stringify({ status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }));
} catch (error) {
  console.log(JSON.stringify({ status: 0, headers: {}, body: `${error.message}: ${error.cause?.message ?? ''}` }));
}
