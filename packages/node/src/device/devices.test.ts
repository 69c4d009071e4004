import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { openControl } from '../database/control/control.ts'
import type { Publisher } from '../project/definition.ts'
import type { ProjectEntry } from '../project/project.ts'
import { TokenIndex } from './devices.ts'
import { type Derive, publisherToken } from './token.ts'

const entry: ProjectEntry = {
  key: `0x${'ab'.repeat(32)}`,
  projectId: '7',
  accountId: '8',
  name: 'aid_8_p',
  createdMs: 0,
}
const device: Publisher = {
  publisherId: '9',
  name: 'd',
  key: 'd',
  publicKey: '',
  tokenVersion: 1,
  createdMs: 5000,
  updatedMs: 5000,
}
const derive: Derive = (purpose, body) => createHmac('sha256', 'secret').update(purpose).update(body).digest()
const token = publisherToken(derive, entry.key, device)
let devices: TokenIndex

beforeEach(() => {
  const control = openControl(':memory:')
  control.exec(`INSERT INTO account VALUES ('8', 'USER', 'ENABLED', 'INIT', 0, 0);
    INSERT INTO project VALUES ('${entry.key}', '7', '8', 'aid_8_p', 'active', 0, 0)`)
  devices = new TokenIndex(
    { cachedTokens: 10 },
    {
      control,
      derive,
      projectByKey: (key) => (key === entry.key ? entry : undefined),
      reader: () => Promise.reject(new Error('no store here')),
      didKey: () => '',
    },
  )
  put(device)
})

function put(publisher: Publisher): void {
  devices.index(entry.key, [{ kind: 'publisher', id: publisher.publisherId, value: JSON.stringify(publisher) }])
}

describe('tokens of devices', () => {
  it('say whose they are, and others nothing', () => {
    expect(devices.authenticate(token)).toMatchObject({ publisherId: '9', publisherKey: 'd', channel: 'aid_8_p' })
    expect(devices.authenticate(`${token}x`)).toBeUndefined()
    expect(devices.authenticate('')).toBeUndefined()
  })

  it('are void after a rotation, on open connections too', () => {
    const live = devices.authenticate(token)!
    put({ ...device, tokenVersion: 2 })
    expect(live.valid).toBe(false)
    expect(devices.authenticate(token)).toBeUndefined()
    const next = publisherToken(derive, entry.key, { ...device, tokenVersion: 2 })
    expect(devices.authenticate(next)?.valid).toBe(true)
  })

  it('are void after the removal of the device or of its project', () => {
    const live = devices.authenticate(token)!
    devices.index(entry.key, [{ kind: 'publisher', id: '9', value: null }])
    expect([live.valid, devices.authenticate(token)]).toEqual([false, undefined])
    put({ ...device, publisherId: '10', key: 'other' })
    const other = devices.authenticate(publisherToken(derive, entry.key, { ...device, publisherId: '10' }))!
    devices.removeProject(entry.key)
    expect(other.valid).toBe(false)
  })

  it('stand for the new key once a device has one; who came under the old one must come again', () => {
    const live = devices.authenticate(token)!
    put({ ...device, key: 'renamed' })
    expect(live.valid).toBe(false)
    expect(devices.authenticate(token)).toMatchObject({ publisherKey: 'renamed', valid: true })
    put({ ...device, key: 'd' })
    expect(devices.authenticate(token)).toMatchObject({ publisherKey: 'd', valid: true })
  })
})
