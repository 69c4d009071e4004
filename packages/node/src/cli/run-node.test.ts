import { describe, expect, it } from 'vitest'
import { defaultNodeOptions } from '../node/options.ts'
import { placesOf } from './run-node.ts'

describe('the places of the ready line', () => {
  it('are the ports that are open, and the broker without its credentials', () => {
    const options = { ...defaultNodeOptions, mqttBroker: 'mqtts://user:SECRET@broker:8883' }
    expect(placesOf({ http: 'http://127.0.0.1:8888', mqtt: undefined }, options)).toEqual({
      http: 'http://127.0.0.1:8888',
      mqttBroker: 'mqtts://***@broker:8883',
    })
    expect(placesOf({ http: 'http://127.0.0.1:8888' }, defaultNodeOptions)).toEqual({ http: 'http://127.0.0.1:8888' })
  })
})
