/** The little of the driver that is used, and nothing that is `any`. */
declare module 'mysql2/promise' {
  import type { Socket } from 'node:net'

  export function createConnection(options: {
    readonly stream: Socket
    /** Of the certificate: the stream is connected already. */
    readonly host: string
    readonly user: string
    readonly password: string
    readonly database: string
    readonly ssl?: {
      readonly rejectUnauthorized: true
      readonly verifyIdentity: true
      readonly ca?: string
    }
    readonly connectTimeout: number
    /** Results are read by plain code, and not by code that is made of what the server says. */
    readonly disableEval: true
    readonly supportBigNumbers: true
    readonly bigNumberStrings: true
    readonly dateStrings: true
    readonly rowsAsArray: true
  }): Promise<Connection>

  export interface Connection {
    query(sql: string): Promise<[rows: unknown, fields: unknown]>
    execute(sql: string, values: readonly string[]): Promise<[rows: unknown, fields: unknown]>
    end(): Promise<void>
    destroy(): void
    on(event: 'error', listener: (error: Error) => void): void
  }
}
