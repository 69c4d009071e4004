import { describe, expect, it } from 'vitest'
import { Writer } from './bytes/codec.ts'
import { decodeEffectBody, type EffectBody, encodeEffectBody } from './effect.ts'

const api: EffectBody = {
  kind: 'api',
  method: 'POST',
  url: 'https://api.example.com/',
  header: { Eventtype: ['result'], 'X-Own': ['1', '2'] },
  body: Uint8Array.of(1, 2),
  eventType: 'result',
}

/** The body of a call with this text in the place of its header. */
function withHeader(text: string): Uint8Array {
  return new Writer().u8(2).text('GET').text('/').text(text).bytes(new Uint8Array(0)).text('').finish()
}

describe('effect bodies', () => {
  it('come back as they were', () => {
    expect(decodeEffectBody(encodeEffectBody(api))).toEqual(api)
    expect(decodeEffectBody(withHeader('{}'))).toMatchObject({ header: {} })
  })

  it.each(['', '{', 'null', '[]', '1', '{"a":"b"}', '{"a":[1]}', '{"a":null}', '{ "a": ["b"]}'])(
    'have a header that is a canonical map of lists, not %j',
    (text) =>
      expect(() => decodeEffectBody(withHeader(text))).toThrow(
        expect.objectContaining({ code: 'CODEC_VALUE', fault: expect.objectContaining({ field: 'header' }) }),
      ),
  )
})
