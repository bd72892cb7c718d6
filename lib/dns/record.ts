/** Resource records and answers, as values. */
export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;
export const RCODE = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const;

interface Named { readonly name: string; readonly ttl: number }
export type ResourceRecord =
  | (Named & { readonly type: "A" | "AAAA"; /** Canonical text. */ readonly address: string })
  | (Named & { readonly type: "CNAME" | "PTR" | "NS"; readonly target: string })
  | (Named & { readonly type: "SRV"; readonly priority: number; readonly weight: number; readonly port: number; readonly target: string })
  | (Named & { readonly type: "TXT"; readonly text: string })
  | (Named & { readonly type: "SOA"; readonly mname: string; readonly rname: string; readonly serial: number; readonly refresh: number; readonly retry: number; readonly expire: number; readonly minimum: number });

export interface Answer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
}
