import { describe, expect, it } from 'vitest'
import { judge } from './send-answer.ts'

describe('judge', () => {
  // Words of geth, anvil, Erigon, Nethermind and OpenEthereum.
  it.each([
    ['already known', 'sent'],
    ['transaction already imported', 'sent'],
    ['AlreadyKnown', 'sent'],
    ['ALREADY_EXISTS: already known', 'sent'],
    ['known transaction: 0x12', 'sent'],
    ['nonce too low: next nonce 5, tx nonce 4', 'nonce used'],
    ['the nonce has already been used', 'nonce used'],
    ['OldNonce: old nonce', 'nonce used'],
    ['insufficient funds for gas * price + value', 'later'],
    ['insufficient funds for intrinsic transaction cost', 'later'],
    ['replacement transaction underpriced', 'later'],
    ['max fee per gas less than block base fee', 'later'],
    ['txpool is full', 'later'],
    ['intrinsic gas too low', 'never'],
    ['exceeds block gas limit', 'never'],
    ['invalid sender', 'never'],
    ['transaction type not supported', 'never'],
    ['rlp: expected List', 'never'],
    ['words that nobody has seen', 'later'],
  ])('reads %j as %s', (reason, type) => {
    expect(judge(reason).type).toBe(type)
  })
})
