import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type RequestListener, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, type Socket, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { authorityPem, serverKeyPem, serverPem } from '../testing/tls-fixture.ts'
import { type HttpClient, createHttpClient } from './http-client.ts'
import { asFetch } from './http-fetch.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const limits = { timeoutMs: 10_000, maxBytes: 100_000 }

function client(options: { caFile?: string } = {}): HttpClient {
  const created = createHttpClient({ userAgent: 'citypresence-test', ...options })
  cleanups.push(() => created.close())
  return created
}

async function serve(listener: RequestListener, tls = false) {
  const server = tls ? createTlsServer({ cert: serverPem, key: serverKeyPem }, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return `http${tls ? 's' : ''}://localhost:${port}`
}

/** A server that speaks raw bytes, for answers no honest server gives. */
async function serveRaw(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe('an honest exchange', () => {
  it('[C18] method, headers and body arrive; status, headers and body come back', async () => {
    const url = await serve((request, response) => {
      void request.toArray().then((chunks) => {
        response.writeHead(201, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] })
        response.end(
          `${request.method} ${request.headers['user-agent']} ${String(request.headers['x-ask'])} ${Buffer.concat(chunks as Buffer[]).toString()}`,
        )
      })
    })
    const answer = await client().request(`${url}/x`, {
      ...limits,
      method: 'POST',
      headers: { 'X-Ask': 'q' },
      body: 'hello',
    })
    expect(answer).toMatchObject({ status: 201, headers: { 'x-answer': 'yes', 'set-cookie': 'a=1, b=2' } })
    expect(text(answer.body)).toBe('POST citypresence-test q hello')
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('[C18] %s is decompressed', async (encoding, compress) => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(compress('presence '.repeat(1000)))
    })
    expect(text((await client().request(url, limits)).body)).toBe('presence '.repeat(1000))
  })

  it('[C18] connections are kept and used again', async () => {
    const sockets = new Set<unknown>()
    const url = await serve((request, response) => {
      sockets.add(request.socket)
      response.end('ok')
    })
    const http = client()
    for (let count = 0; count < 20; count++) await http.request(url, limits)
    // The pool may open a second one while the first is about to become free.
    expect(sockets.size).toBeLessThanOrEqual(2)
  })

  it('[C18] a status that is not a success is an answer, not an error', async () => {
    const url = await serve((_request, response) => response.writeHead(503).end('busy'))
    expect((await client().request(url, limits)).status).toBe(503)
  })
})

describe('a server that hurts', () => {
  it.each([
    ['sends no headers', () => undefined],
    ['stalls in the headers', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-')],
    ['stalls in the body', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345')],
    [
      'drips its body',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
        const timer = setInterval(() => socket.write('.'), 10)
        socket.on('close', () => clearInterval(timer))
      },
    ],
    [
      'drips gzip',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n')
        const bytes = gzipSync(Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251)))
        let at = 0
        const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 10)
        socket.on('close', () => clearInterval(timer))
      },
    ],
  ] as const)('[C19] one that %s is left at the deadline', async (_name, answer) => {
    const url = await serveRaw(answer)
    const request = client().request(`${url}/sync?access_token=hunter2`, { ...limits, timeoutMs: 200 })
    const error: unknown = await request.catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'HttpTimeout', message: expect.stringContaining('/sync') as string })
    expect(String(error)).not.toContain('hunter2')
  })

  it('[C19] a body over the cap is refused, with and without a length, and exactly at the cap accepted', async () => {
    const url = await serve((request, response) => {
      const size = Number(request.headers['x-size'])
      if (request.headers['x-length'] === 'yes') response.setHeader('content-length', size)
      response.end(Buffer.alloc(size))
    })
    const ask = (size: number, length: string) =>
      client().request(url, { ...limits, maxBytes: 1000, headers: { 'x-size': String(size), 'x-length': length } })
    for (const length of ['yes', 'no']) {
      expect((await ask(1000, length)).body.byteLength).toBe(1000)
      await expect(ask(1001, length)).rejects.toMatchObject({ code: 'HttpTooLarge' })
    }
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('[C19] a bomb of %s is refused after the cap, not after its end', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(50_000_000))
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb)
    })
    const before = process.memoryUsage().arrayBuffers
    await expect(client().request(url, limits)).rejects.toMatchObject({ code: 'HttpTooLarge' })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(25_000_000)
  })

  it.each([301, 302, 303, 307, 308])('[C19] a redirect (%i) is not followed', async (status) => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked++
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
    await expect(client().request(url, limits)).rejects.toMatchObject({ code: 'HttpRedirected' })
    expect(asked).toBe(1)
  })

  it.each([
    ['breaks off in its body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345', /HttpUnreachable|HttpGarbled/],
    [
      'breaks off in a chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123',
      /HttpUnreachable|HttpGarbled/,
    ],
    ['speaks no HTTP', 'SSH-2.0-OpenSSH\r\n', /HttpGarbled|HttpUnreachable/],
    ['hangs up', '', /HttpUnreachable/],
    ['lies about gzip', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello', /HttpGarbled/],
    [
      'uses an unknown encoding',
      'HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 5\r\n\r\nuryyb',
      /HttpGarbled/,
    ],
  ])('[C20] one that %s is an error of ours', async (_name, bytes, word) => {
    const url = await serveRaw((socket) => socket.end(bytes))
    await expect(client().request(url, limits)).rejects.toMatchObject({ code: expect.stringMatching(word) as string })
  })

  it('[C20] truncated gzip is HttpGarbled, never a shorter body', async () => {
    const whole = gzipSync('presence '.repeat(1000))
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(whole.subarray(0, whole.length - 10))
    })
    await expect(client().request(url, limits)).rejects.toMatchObject({ code: 'HttpGarbled' })
  })

  it('[C20] nobody listening is HttpUnreachable, an unknown name is DnsFailed', async () => {
    await expect(client().request('http://127.0.0.1:1/', limits)).rejects.toMatchObject({ code: 'HttpUnreachable' })
    await expect(client().request('http://no-such-host.invalid/', limits)).rejects.toMatchObject({ code: 'DnsFailed' })
  })

  it('[C20] after any failure the client still works', async () => {
    const bad = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'))
    const good = await serve((_request, response) => response.end('ok'))
    const http = client()
    for (let count = 0; count < 20; count++) await http.request(bad, limits).catch(() => undefined)
    expect(text((await http.request(good, limits)).body)).toBe('ok')
  })
})

describe('the caller', () => {
  it('[C19] an abort ends the exchange with Aborted, also one before it began', async () => {
    const url = await serveRaw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'))
    const abort = new AbortController()
    const request = client().request(url, { ...limits, signal: abort.signal })
    setImmediate(() => abort.abort())
    await expect(request).rejects.toMatchObject({ code: 'Aborted' })
    await expect(client().request(url, { ...limits, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'Aborted',
    })
  })
})

describe('TLS', () => {
  function caFile(content: string) {
    const folder = mkdtempSync(join(tmpdir(), 'citypresence-tls-'))
    cleanups.push(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'ca.pem')
    writeFileSync(path, content)
    return path
  }

  it('[C21] an unknown authority is TlsUntrusted, the one in the CA file is trusted', async () => {
    const url = await serve((_request, response) => response.end('ok'), true)
    await expect(client().request(url, limits)).rejects.toMatchObject({ code: 'TlsUntrusted' })
    expect((await client({ caFile: caFile(authorityPem) }).request(url, limits)).status).toBe(200)
  })

  it('[C21] a certificate for another name is TlsUntrusted', async () => {
    const url = await serve((_request, response) => response.end('ok'), true)
    const other = url.replace('localhost', '127.0.0.2')
    const answer = client({ caFile: caFile(authorityPem) }).request(other, limits)
    // 127.0.0.2 reaches no listener bound to 127.0.0.1 on some systems; where it does, the name is what refuses.
    await expect(answer).rejects.toMatchObject({
      code: expect.stringMatching(/TlsUntrusted|HttpUnreachable/) as string,
    })
  })

  it('[C21] a changed CA file is taken without a restart', async () => {
    const url = await serve((_request, response) => response.end('ok'), true)
    const path = caFile(serverPem.replace(/^/, ''))
    const http = client({ caFile: path })
    writeFileSync(path, '')
    await expect(http.request(url, limits)).rejects.toMatchObject({ code: 'TlsUntrusted' })
    writeFileSync(path, authorityPem)
    expect((await http.request(url, limits)).status).toBe(200)
  })

  it('[C21] a CA file that is not there is an error at the start', () => {
    expect(() => createHttpClient({ userAgent: 'x', caFile: '/nowhere/ca.pem' })).toThrow(
      expect.objectContaining({
        code: 'FileUnreadable',
        message: expect.stringContaining('/nowhere/ca.pem') as unknown,
      }),
    )
  })
})

describe('as fetch', () => {
  it('[C18] it answers like fetch: ok, json, headers of the decompressed body', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' })
      response.end(gzipSync(JSON.stringify({ method: request.method, type: request.headers['content-type'] })))
    })
    const fetch = asFetch(client(), limits)
    const answer = await fetch(new URL(url), {
      method: 'post',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    })
    expect(answer.ok).toBe(true)
    expect(answer.headers.get('content-encoding')).toBeNull()
    expect(await answer.json()).toEqual({ method: 'POST', type: 'application/json' })
  })

  it('[C18] an answer without a body and one with an error status are Responses too', async () => {
    const url = await serve((request, response) => response.writeHead(request.url === '/none' ? 204 : 429).end())
    const fetch = asFetch(client(), limits)
    expect((await fetch(`${url}/none`)).status).toBe(204)
    expect((await fetch(`${url}/slow-down`)).ok).toBe(false)
  })

  it('[C19] an abort rejects with the reason of the caller, as fetch does', async () => {
    const url = await serveRaw(() => undefined)
    const abort = new AbortController()
    const answer = asFetch(client(), limits)(url, { signal: abort.signal })
    setImmediate(() => abort.abort())
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
    await expect(asFetch(client(), limits)(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})
