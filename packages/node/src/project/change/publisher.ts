import type { Sfid } from '@w3bstream/protocol'
import type { Publisher } from '../definition.ts'
import {
  type Accepted,
  type Application,
  type Change,
  type ChangeHandlers,
  found,
  given,
  Refused,
} from './application.ts'

/** Devices have three rows each: by id, by key and, where they sign, by public key. */
export const publisherChanges: ChangeHandlers<
  'publisher.create' | 'publisher.upsert' | 'publisher.update' | 'publisher.rotate' | 'publisher.remove'
> = {
  'publisher.create': create,
  'publisher.upsert': create,
  'publisher.update': update,
  'publisher.rotate': rotate,
  'publisher.remove': remove,
}

async function create(
  application: Application,
  change: Change<'publisher.create' | 'publisher.upsert'>,
): Promise<Accepted> {
  const existing = await byKey(application, change.key)
  if (existing) {
    if (change.op === 'publisher.create') throw new Refused('PublisherConflict', `the key ${change.key} is taken`)
    return { ok: true, id: existing.publisherId, value: existing }
  }
  const publisher: Publisher = {
    publisherId: application.id('publisher'),
    name: change.name,
    key: change.key,
    publicKey: change.publicKey ?? '',
    tokenVersion: 1,
    ...application.stamp,
  }
  await put(application, publisher)
  return { ok: true, id: publisher.publisherId, value: publisher }
}

async function update(application: Application, change: Change<'publisher.update'>): Promise<Accepted> {
  const { op: _, publisherId, ...fields } = change
  const { editor, context } = application
  const old = await publisherOf(application, publisherId)
  const publisher: Publisher = { ...old, ...given(fields), updatedMs: context.timeMs }
  if (publisher.key !== old.key) {
    if (await byKey(application, publisher.key))
      throw new Refused('PublisherConflict', `the key ${publisher.key} is taken`)
    editor.remove('publisherKey', old.key)
  }
  if (publisher.publicKey !== old.publicKey && old.publicKey) editor.remove('publisherPublicKey', old.publicKey)
  await put(application, publisher)
  return { ok: true, value: publisher }
}

async function rotate(application: Application, { publisherId }: Change<'publisher.rotate'>): Promise<Accepted> {
  const old = await publisherOf(application, publisherId)
  const { timeMs } = application.context
  const publisher: Publisher = { ...old, tokenVersion: old.tokenVersion + 1, updatedMs: timeMs }
  await put(application, publisher)
  return { ok: true, value: publisher }
}

async function remove(application: Application, { publisherId }: Change<'publisher.remove'>): Promise<Accepted> {
  const { key, publicKey } = await publisherOf(application, publisherId)
  const { editor } = application
  editor.remove('publisher', publisherId)
  editor.remove('publisherKey', key)
  if (publicKey) editor.remove('publisherPublicKey', publicKey)
  return { ok: true }
}

async function put(application: Application, publisher: Publisher): Promise<void> {
  const { publisherId, key, publicKey } = publisher
  const owner = publicKey && (await application.row<Sfid>('publisherPublicKey', publicKey))
  if (owner && owner !== publisherId)
    throw new Refused('PublisherConflict', `the public key ${publicKey} is that of another device`)
  application.editor.put('publisher', publisherId, publisher)
  application.editor.put('publisherKey', key, publisherId)
  if (publicKey) application.editor.put('publisherPublicKey', publicKey, publisherId)
}

async function publisherOf(application: Application, publisherId: Sfid): Promise<Publisher> {
  return found(await application.row<Publisher>('publisher', publisherId), 'PublisherNotFound', publisherId)
}

async function byKey(application: Application, key: string): Promise<Publisher | undefined> {
  const publisherId = await application.row<Sfid>('publisherKey', key)
  return publisherId === undefined ? undefined : application.row<Publisher>('publisher', publisherId)
}
