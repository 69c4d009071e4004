import { describe, expect, it } from 'vitest'
import { ConfigError } from './errors.ts'
import { defaultNodeOptions, printable } from './options.ts'
import { type Flags, parseNodeOptions } from './parse-options.ts'

function problems(flags: Flags, env: Record<string, string> = {}) {
  try {
    parseNodeOptions(flags, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.fault.problems
    throw error
  }
  throw new Error('the options were accepted')
}

describe('options of a node', () => {
  it('are the defaults when nothing is said', () => {
    expect(parseNodeOptions({}, {})).toEqual(defaultNodeOptions)
  })

  it('switch event and MQTT ports off by 0, and take any free port for management', () => {
    const options = parseNodeOptions({ httpPort: '0', eventPort: '0', mqttPort: '0' }, {})
    expect(options).toMatchObject({ httpPort: 0, eventPort: 'off', mqttPort: 'off', mqttWsPort: 'off' })
  })

  it('come from flags before environment, and an empty variable counts as none', () => {
    const env = {
      W3BSTREAM_HTTP_PORT: '1000',
      W3BSTREAM_EVENT_PORT: '1001',
      W3BSTREAM_MQTT_PORT: '',
      W3BSTREAM_ADMIN_PASSWORD: 'longenough',
    }
    expect(parseNodeOptions({ httpPort: '2000' }, env)).toMatchObject({
      httpPort: 2000,
      eventPort: 1001,
      mqttPort: 1883,
      adminPassword: 'longenough',
    })
  })

  it('change single limits', () => {
    const { limits } = parseNodeOptions({ limit: ['payloadBytes=10', 'batchWaitMs=0'] }, {})
    expect(limits).toEqual({ ...defaultNodeOptions.limits, payloadBytes: 10, batchWaitMs: 0 })
  })

  it('are refused with every mistake at once, naming flag or variable', () => {
    const found = problems(
      {
        dataDir: ' ',
        host: 'a b',
        httpPort: '65536',
        eventPort: '-1',
        mqttPort: '1e3',
        tlsCert: '/does/not/exist.pem',
        mqttBroker: 'http://x',
        logLevel: 'loud',
        logFormat: 'xml',
        workers: '0',
        limit: ['payloadBytes=0'],
        nonsense: 'x',
      },
      { W3BSTREAM_CHAINS: '{', W3BSTREAM_ADMIN_PASSWORD: 'short', W3BSTREAM_WHITE_LIST: '0x12' },
    )
    expect(found.map(({ field }) => field).sort()).toEqual(
      [
        '--data-dir',
        '--event-port',
        '--host',
        '--http-port',
        '--limit',
        '--log-format',
        '--log-level',
        '--mqtt-broker',
        '--mqtt-port',
        '--nonsense',
        '--tls-cert',
        '--workers',
        'W3BSTREAM_ADMIN_PASSWORD',
        'W3BSTREAM_CHAINS',
        'W3BSTREAM_WHITE_LIST',
      ].sort(),
    )
    expect(JSON.stringify(found)).not.toContain('short')
  })

  it('refuse one port for two services', () => {
    expect(problems({ httpPort: '5000', eventPort: '5000', mqttPort: '5000' }).map(({ field }) => field)).toEqual([
      '--event-port',
      '--mqtt-port',
    ])
  })

  it('refuse a certificate without its key', () => {
    expect(problems({ tlsCert: import.meta.filename }).map(({ field }) => field)).toEqual(['--tls-key'])
  })

  it.each([
    'not json',
    '{}',
    '[{"name":"a","endpoint":"ftp://x"}]',
    '[{"chainID":-1,"name":"a","endpoint":"http://x"}]',
    '[null]',
  ])('refuse the chains %s', (chains) => {
    expect(problems({}, { W3BSTREAM_CHAINS: chains })).toHaveLength(1)
  })

  it('name each wrong field of each chain, and no endpoint', () => {
    const chains = [
      { chainID: 1, name: 'a', endpoint: 'https://rpc.example/SECRET' },
      { chainID: 'x', name: 'b', endpoint: 'ws://rpc.example/SECRET' },
      { chainID: 2, name: '' },
    ]
    const found = problems({}, { W3BSTREAM_CHAINS: JSON.stringify(chains) })
    expect(found.map(({ field }) => field).sort()).toEqual([
      'W3BSTREAM_CHAINS[1].chainID',
      'W3BSTREAM_CHAINS[1].endpoint',
      'W3BSTREAM_CHAINS[2].endpoint',
      'W3BSTREAM_CHAINS[2].name',
    ])
    expect(JSON.stringify(found)).not.toContain('SECRET')
  })

  it('cannot be given secrets by flags', () => {
    expect(problems({ adminPassword: 'longenough' })[0]?.field).toBe('--admin-password')
  })

  it('are printed with secrets struck out', () => {
    const env = {
      W3BSTREAM_ADMIN_PASSWORD: 'SECRET-password',
      W3BSTREAM_KEYSTORE_PASSPHRASE: 'SECRET-passphrase',
      W3BSTREAM_CHAINS: '[{"chainID":1,"name":"main","endpoint":"https://rpc.example/v3/SECRET-key"}]',
      W3BSTREAM_MQTT_BROKER: 'mqtt://user:SECRET@broker:1883',
    }
    const shown = printable(parseNodeOptions({}, env))
    expect(JSON.stringify(shown)).not.toContain('SECRET')
    expect(shown).toMatchObject({
      chains: [{ endpoint: 'https://rpc.example/***' }],
      mqttBroker: 'mqtt://***@broker:1883',
    })
  })
})
