/** Reason codes of MQTT 5 section 2.4 that this server sends. */
export const reason = {
  success: 0x00,
  grantedQos1: 0x01,
  grantedQos2: 0x02,
  disconnectWithWill: 0x04,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  unspecified: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecific: 0x83,
  unsupportedVersion: 0x84,
  clientIdNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  serverShuttingDown: 0x8b,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  payloadFormatInvalid: 0x99,
} as const

export type Reason = (typeof reason)[keyof typeof reason]

/** The return code of an MQTT 3.1.1 CONNACK (section 3.2.2.3) nearest to a reason. */
export function connackReturnCode(code: Reason): 0 | 1 | 2 | 3 | 4 | 5 {
  switch (code) {
    case reason.success:
      return 0
    case reason.unsupportedVersion:
      return 1
    case reason.clientIdNotValid:
      return 2
    case reason.badUserNameOrPassword:
      return 4
    case reason.notAuthorized:
    case reason.badAuthenticationMethod:
      return 5
    default:
      return 3
  }
}
