import { describe, expect, it } from 'vitest'
import { AddressPolicy, parseNetwork } from './address-policy.ts'

const policy = new AddressPolicy([], () => ['198.41.0.4'])

describe('address policy', () => {
  it.each(['93.184.216.34', '8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])('allows %s', (address) =>
    expect(policy.allows(address)).toBe(true),
  )

  it.each([
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...['100.100.100.200', '192.0.0.192', '224.0.0.1', '255.255.255.255', '240.0.0.1', '168.63.129.16', '198.18.0.1'],
    ...['::1', '::', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '::ffff:127.0.0.1'],
    ...['::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '::7f00:1', '::127.0.0.1', '2001:db8::1'],
    ...['200::1', '1::1', 'fec0::1', '64:ff9b:1::a00:1', '5f00::1'],
    // Other forms of addresses, names, and nothing.
    ...['0x7f.1', '2130706433', '0177.0.0.1', '127.1', 'localhost', '', '::ffff:168.63.129.16'],
  ])('refuses %s', (address) => expect(policy.allows(address)).toBe(false))

  it('refuses the addresses of the machine itself', () => {
    expect(policy.allows('198.41.0.4')).toBe(false)
    expect(policy.allows('::ffff:198.41.0.4')).toBe(false)
  })

  it('allows what the operator names, and no more', () => {
    const own = new AddressPolicy(['127.0.0.0/8', 'fd00::/16'])
    expect(['127.0.0.1', '::ffff:127.0.0.1', 'fd00::1'].map((address) => own.allows(address))).toEqual([
      true,
      true,
      true,
    ])
    expect(['10.0.0.1', 'fd01::1'].map((address) => own.allows(address))).toEqual([false, false])
    expect(parseNetwork('10.0.0.0')).toBeUndefined()
  })
})
