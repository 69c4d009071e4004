import { W3bstreamError } from '@w3bstream/protocol'

/**
 * Errors that cross an endpoint. The table is `spec` of the earlier generation: HTTP status, then 999, then the number;
 * clients compare `key` and `code`. Below the line, with numbers from 101, ours.
 */
const table = {
  400: {
    BadRequest: 1,
    InvalidConfigType: 2,
    DeprecatedProject: 3,
    UnknownDeployCommand: 4,
    InvalidCronExpressions: 5,
    InvalidPrivateKey: 6,
    InvalidDeleteCondition: 7,
    UnknownMonitorCommand: 8,
    InvalidContractLogIDs: 9,
    InvalidChainTxIDs: 10,
    InvalidChainHeightIDs: 11,
    InvalidVMState: 12,
    InvalidAccessKeyIdentityType: 13,
    InvalidModule: 101,
    InvalidDatabaseSchema: 102,
    InvalidEnvelope: 103,
    InvalidSql: 104,
    InvalidFlow: 105,
  },
  401: {
    Unauthorized: 1,
    InvalidAuthValue: 2,
    InvalidAuthAccountID: 3,
    NoProjectPermission: 4,
    NoOperatorPermission: 5,
    NoAdminPermission: 6,
    InvalidOldPassword: 7,
    InvalidNewPassword: 8,
    InvalidPassword: 9,
    InvalidEthLoginSignature: 10,
    InvalidEthLoginMessage: 11,
    InvalidAuthPublisherID: 12,
    CurrentAccountAbsence: 13,
    InvalidEventChannel: 14,
    InvalidEventToken: 15,
    InvalidAppletContext: 16,
    NoResourcePermission: 17,
    InvalidAccessKey: 18,
    InvalidEnvelopeSignature: 101,
  },
  403: {
    Forbidden: 1,
    DisabledAccount: 2,
    WhiteListForbidden: 3,
    UploadFileSizeLimit: 4,
    UploadFileMd5Unmatched: 5,
    UploadFileDiskLimit: 6,
    TopicAlreadySubscribed: 7,
    OccupiedOperator: 8,
    UnsupportedFSOperator: 9,
    AccessKeyExpired: 10,
    AccessKeyPermissionDenied: 11,
    ProjectPaused: 101,
  },
  404: {
    NotFound: 1,
    ProjectNotFound: 2,
    ConfigNotFound: 3,
    ResourceNotFound: 4,
    AppletNotFound: 5,
    InstanceNotFound: 6,
    StrategyNotFound: 7,
    PublisherNotFound: 8,
    AccountIdentityNotFound: 9,
    ResourcePermNotFound: 10,
    CronJobNotFound: 11,
    InstanceNotRunning: 12,
    BlockchainNotFound: 13,
    ContractLogNotFound: 14,
    ChainTxNotFound: 15,
    ChainHeightNotFound: 16,
    AccountNotFound: 17,
    AccountPasswordNotFound: 18,
    OperatorNotFound: 19,
    TrafficLimitNotFound: 20,
    ProjectOperatorNotFound: 21,
    AccessKeyNotFound: 22,
    ReceiptNotFound: 101,
    VersionNotFound: 102,
    CanaryNotFound: 103,
    FileNotFound: 104,
  },
  409: {
    Conflict: 1,
    ProjectNameConflict: 2,
    ResourceConflict: 3,
    ResourceOwnerConflict: 4,
    StrategyConflict: 5,
    ConfigConflict: 6,
    PublisherConflict: 7,
    MultiInstanceDeployed: 8,
    AppletNameConflict: 9,
    CronJobConflict: 10,
    ContractLogConflict: 11,
    ChainTxConflict: 12,
    ChainHeightConflict: 13,
    AccountIdentityConflict: 14,
    AccountConflict: 15,
    AccountPasswordConflict: 16,
    OperatorConflict: 17,
    TrafficLimitConflict: 18,
    ProjectOperatorConflict: 19,
    AccessKeyNameConflict: 20,
    DestructiveSchemaChange: 101,
    CanaryConflict: 102,
  },
  413: { PayloadTooLarge: 101 },
  429: { MailboxFull: 101, TooManyAttempts: 102, TooManyConnections: 103, TrafficLimitExceeded: 104 },
  500: {
    InternalServerError: 1,
    DatabaseError: 2,
    UploadFileFailed: 3,
    FetchResourceFailed: 4,
    ConfigInitFailed: 5,
    ConfigUninitFailed: 6,
    ConfigParseFailed: 7,
    CreateInstanceFailed: 8,
    BatchRemoveAppletFailed: 9,
    MqttSubscribeFailed: 10,
    MqttConnectFailed: 11,
    BatchRemoveWasmLogFailed: 12,
    GenTokenFailed: 13,
    TrafficLimitExceededFailed: 14,
    CreateTrafficSchedulerFailed: 15,
    UpdateTrafficSchedulerFailed: 16,
  },
  503: { NodeStopping: 101 },
  507: { DiskFull: 101 },
} as const

type Table = typeof table
export type ApiErrorKey =
  | { [S in keyof Table]: keyof Table[S] }[keyof Table]
  | 'badRequest'
  | 'InvalidToken'
  | 'InvalidClaim'
  | 'UnknownError'

/** Where a wrong value stood. */
export interface FieldError {
  readonly field: string
  readonly msg: string
  readonly in: 'body' | 'query' | 'path' | 'header' | ''
}

const numbers = new Map<string, number>([
  ...Object.entries(table).flatMap(([status, keys]) =>
    Object.entries(keys).map(([key, n]) => [key, Number(status) * 1_000_000 + 999_000 + n] as const),
  ),
  ['InvalidToken', 401_999_002],
  ['InvalidClaim', 401_999_003],
  ['badRequest', 400_000_000],
  ['UnknownError', 500_000_000],
])

/** Keys that the reference marks as not fit to be shown to a person: the generic one of each class. */
const generic = new Set([
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'Conflict',
  'InternalServerError',
  'UnknownError',
])

/** An error with a stable key, the same over every protocol. `code` of the JSON is {@link ApiError.number}. */
export class ApiError extends W3bstreamError<{
  code: ApiErrorKey
  desc: string
  fields?: readonly FieldError[]
  retryAfterMs?: number
}> {
  constructor(
    key: ApiErrorKey,
    desc = '',
    more: { fields?: readonly FieldError[]; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    const { cause, ...details } = more
    super({ code: key, desc, ...details }, { cause })
  }

  /** Nine digits; the first three are the HTTP status. */
  get number(): number {
    return numbers.get(this.fault.code) ?? 500_000_000
  }

  get status(): number {
    return Math.floor(this.number / 1_000_000)
  }

  /** The JSON that every protocol answers with; `source` is `srv-applet-mgr@<version>`. */
  toJson(source: string): Record<string, unknown> {
    const { code: key, desc, fields } = this.fault
    return {
      key,
      code: this.number,
      msg: key === 'badRequest' ? 'invalid parameters' : words(key),
      desc,
      canBeTalk: !generic.has(key),
      id: '',
      sources: [source],
      fields: fields ?? null,
    }
  }
}

/** `InvalidPassword` to `Invalid Password`; runs of capitals stay together. */
function words(key: string): string {
  return key === 'UnknownError' ? key : key.replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4')
}

/** What devices have always been told in the result of an event beyond the traffic limit. */
export const trafficLimitText = '[]@StatusErr[TrafficLimitExceededFailed][500999014][Traffic Limit Exceeded Failed]!'

/** Any thrown value as an `ApiError`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError('UnknownError', error instanceof Error ? error.message : String(error), { cause: error })
}

/** Every key with its number, for `docs/errors.md`. */
export const apiErrorNumbers: ReadonlyMap<string, number> = numbers
