import { abi, api, bytes, chain, env, event, json, keccak256, kv, log, metrics, mqtt, publisher, sql, uint256 } from '@w3bstream/applet-sdk'

export function hash(rid: i32): i32 {
  log.info(bytes.toHex(keccak256(event.bytes(rid))))
  return 0
}

export function decimal(rid: i32): i32 {
  const text = event.text(rid)
  const word = uint256.fromDecimal(text)
  log.info(bytes.toHex(word))
  log.info(uint256.toDecimal(word))
  return 0
}

export function units(rid: i32): i32 {
  log.info(uint256.units(event.text(rid), 18))
  return 0
}

/** Encodes a call with every kind of argument from the fields of the message. */
export function encode(rid: i32): i32 {
  const m = event.parse(rid)
  const call = new abi.Call('f(address,uint256,bool,bytes32,string,bytes,uint64)')
    .address(m.get('address').toText())
    .uint(m.get('uint').toText())
    .bool(m.get('bool').toBool())
    .bytes32(bytes.fromHex(m.get('bytes32').toText()))
    .text(m.get('text').toText())
    .bytes(bytes.fromHex(m.get('bytes').toText()))
    .u64(u64(m.get('u64').toI64()))
  log.info(call.toHex())
  return 0
}

export function wrong_type(rid: i32): i32 {
  log.info(new abi.Call('mint(address,uint256)').uint('1').toHex())
  return 0
}

export function missing_argument(rid: i32): i32 {
  log.info(new abi.Call('pause()').toHex())
  log.info(new abi.Call('burn(uint256)').toHex())
  return 0
}

/** Reads `(string,uint256,address,bool)` out of a contract's result. */
export function decode(rid: i32): i32 {
  const result = chain.callContract(1, '0x00000000000000000000000000000000000000aa', '0x' + event.text(rid))
  log.info(abi.textAt(result, 0))
  log.info(abi.uintAt(result, 1))
  log.info(abi.addressAt(result, 2))
  log.info(abi.boolAt(result, 3).toString())
  return 0
}

function render(value: json.Value): string {
  if (value.kind == json.Kind.Text) return json.quote(value.text)
  if (value.kind == json.Kind.List) {
    const parts = new Array<string>()
    for (let i = 0; i < value.length; i++) parts.push(render(value.at(i)))
    return '[' + parts.join(',') + ']'
  }
  if (value.kind == json.Kind.Object) {
    const object = new json.ObjectWriter()
    for (let i = 0; i < value.length; i++) object.raw(value.names[i], render(value.items[i]))
    return object.toString()
  }
  return value.text
}

/** Writes JSON anew; 1 when the payload is not JSON. */
export function rewrite(rid: i32): i32 {
  const value = event.parse(rid)
  if (!value.exists) return 1
  event.replaceText(rid, render(value))
  log.info(event.text(rid))
  return 0
}

export function numbers(rid: i32): i32 {
  const m = event.parse(rid)
  log.info(m.get('big').toI64().toString() + ' ' + m.get('cut').toI64().toString() + ' ' + m.get('none').toI64(-7).toString())
  log.info(m.get('a').get('b').at(1).toF64().toString() + ' ' + isNaN(m.get('a').get('x').at(1).toF64()).toString())
  return 0
}

export function base64(rid: i32): i32 {
  const data = event.bytes(rid)
  const text = bytes.toBase64(data)
  log.info(text)
  return memory.compare(bytes.fromBase64(text).dataStart, data.dataStart, data.length)
}

export function hex_or_fail(rid: i32): i32 {
  return bytes.fromHex(event.text(rid)).length
}

export function store(rid: i32): i32 {
  kv.setText('text', event.text(rid))
  kv.setBytes('empty', new Uint8Array(0))
  kv.setI32('i32', i32.MIN_VALUE)
  kv.setI64('i64', i64.MIN_VALUE)
  kv.setF64('f64', -0.5)
  kv.setBool('bool', true)
  const text = kv.getText('text')
  const same = text != null && text == event.text(rid) && kv.getI32('i32') == i32.MIN_VALUE
    && kv.getI64('i64') == i64.MIN_VALUE && kv.getF64('f64') == -0.5 && kv.getBool('bool')
  const missing = !kv.has('missing') && kv.getText('missing') == null && kv.getI32('missing', 9) == 9 && kv.has('empty')
  // A value of another size is not taken for a number.
  return same && missing && kv.getI64('i32', 5) == 5 && kv.addI32('counter', 2) == 2 ? 0 : -1
}

export function rows(rid: i32): i32 {
  sql.execute('INSERT INTO t (a, b, c, d, e) VALUES (?, ?, ?, ?, ?)', [
    sql.i32Param(-1), sql.i64Param(i64.MAX_VALUE), sql.f64Param(0.1), sql.textParam(event.text(rid)), sql.boolParam(true),
  ])
  const row = sql.first('SELECT a, b, c, d, e FROM t WHERE d = $1', [sql.textParam(event.text(rid))])
  log.info([row.get('a').toI32().toString(), row.get('b').toI64().toString(), row.get('c').toF64().toString(),
    row.get('d').toText(), row.get('e').toBool().toString()].join('|'))
  log.info(sql.first('SELECT a FROM t WHERE a = 77').exists.toString())
  return sql.tryExecute('NOT A STATEMENT')
}

export function outside(rid: i32): i32 {
  const from = mqtt.message(rid)
  log.info(from == null ? 'no message' : from.topic + ' ' + bytes.toText(from.payload))
  mqtt.publish('out/topic', 'payload')
  metrics.submit(new json.ObjectWriter().f64('x', 1.5).f64('nan', NaN).bool('b', false).toString())
  const value = env.get('NAME')
  log.info(value == null ? 'no value' : value)
  log.info(chain.sendTransactionWith('second', 5, '0x00000000000000000000000000000000000000aa', '12', '0x'))
  const refused = chain.tryCallContract(5, '0x00000000000000000000000000000000000000bb', '0x')
  log.info(refused == null ? 'read refused' : 'read')
  const answer = api.readTransaction('iotex-testnet', '0x01', 'result')
  log.info(answer.statusCode.toString() + ' ' + answer.body)
  return 0
}

/** Says which device the event came from. */
export function sender(rid: i32): i32 {
  const key = publisher.publisherKey(rid)
  log.info(key == null ? 'no device' : key)
  return publisher.isSigned(rid) ? 1 : 0
}
