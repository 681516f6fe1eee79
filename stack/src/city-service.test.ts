// The stand-in of the city service.
import { afterEach, expect, it } from 'vitest'
import { startCityService, type CityService, type CityServiceOptions } from './city-service.ts'

let service: CityService | undefined
afterEach(() => service?.stop())

const rooms = [{ slug: 'market', matrix_room_id: '!x', matrix_room_alias: '#city_market:test.local' }]

async function open(
  options: CityServiceOptions,
): Promise<{ service: CityService; ask: (token?: string) => Promise<Response> }> {
  const started = await startCityService(options)
  service = started
  const ask = (token?: string): Promise<Response> =>
    fetch(`${started.url}/internal/city/rooms`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(300),
    })
  return { service: started, ask }
}

it('[S16] it answers with the rooms it was given, then with the changed ones, in both shapes', async () => {
  const { service, ask } = await open({ rooms })
  expect(await (await ask()).json()).toEqual(rooms)
  service.rooms = []
  expect(await (await ask()).json()).toEqual([])
  expect(service.requests).toBe(2)
  await service.stop()
  expect(await (await (await open({ rooms, shape: 'object' })).ask()).json()).toEqual({ rooms })
})

it('[S16] with a token it asks for exactly that one, and counts the others', async () => {
  const { service, ask } = await open({ rooms, token: 'right' })
  expect([(await ask()).status, (await ask('wrong')).status, (await ask('right')).status]).toEqual([401, 401, 200])
  expect([service.requests, service.refused]).toEqual([3, 2])
})

it('[S16] it fails and hangs when told, and stops although somebody still waits', async () => {
  const { service, ask } = await open({ rooms })
  service.behaviour = { kind: 'fail', status: 503 }
  expect((await ask()).status).toBe(503)
  service.behaviour = { kind: 'hang' }
  await expect(ask()).rejects.toThrow(/timeout|aborted/)
  await service.stop()
  await expect(ask()).rejects.toThrow()
})
