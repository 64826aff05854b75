export class Problem extends Error {
  status: number;
  code: string;
  requestId: string | null;
  body: Record<string, unknown>;
}

export interface Notice {
  version: number;
  material: boolean;
  effective_at: string;
  texts: Record<string, { text: string; sha256: string }>;
}

export interface Scenario {
  scenario: string;
  mode: "verify" | "identify";
  title: Record<string, string>;
  retention_days: number;
  state: "active" | "retired";
  liveness_level: string;
  notice: Notice | null;
}

export interface Account {
  account_id: string;
  locale: string | null;
  birth_date: string | null;
  contact: string | null;
  guardian: Record<string, unknown> | null;
  created_at: string;
  restricted_at: string | null;
}

export interface ConsentSaid {
  scenario: string;
  decision: "given" | "refused";
  notice_version: number;
  notice_sha256: string;
  locale: string;
  text: string;
  method?: "checkbox" | "signature" | "oral";
}

export interface ConsentRecorded {
  consent_id: string;
  state: string;
  scenario: string;
  notice_version: number;
  receipt: string;
}

export interface SessionWanted {
  purpose: "enrol" | "verify" | "identify";
  scenario: string;
  account_id?: string;
  reauthenticated_at?: string;
  liveness_level?: string;
  transaction?: { text: string; locale?: string };
  veiled?: boolean;
  client_address?: string;
  client_device?: string;
}

export interface OpenedSession {
  session_id: string;
  client_token: string;
  expires_at: string;
  challenge: Record<string, unknown>;
  capture_url: string;
}

export interface SessionState {
  session_id: string;
  purpose: string;
  scenario: string;
  state: "open" | "accepted" | "denied" | "expired" | "cancelled";
  reason?: string | null;
  account_id?: string | null;
  reference_id?: string | null;
  id_token?: string | null;
  amr?: string[] | null;
  acr?: string | null;
  liveness_level?: string | null;
  device_id?: string | null;
  transaction_sha256?: string | null;
  decided_at?: string | null;
}

export interface FlowWanted {
  account_id: string;
  scenario: string;
  purpose: "enrol" | "verify";
  return_url: string;
  reauthenticated_at?: string;
  locale?: string;
}

export class Faceauth {
  constructor(
    url: string,
    key: string,
    options?: { fetch?: typeof fetch; wait?: (seconds: number) => Promise<void> },
  );
  scenarios(): Promise<Scenario[]>;
  notice(scenario: string, version: number, locale?: string): Promise<Notice>;
  putAccount(account: string, facts?: Partial<Pick<Account, "locale" | "birth_date" | "contact" | "guardian">>): Promise<Account>;
  account(account: string): Promise<Account>;
  closeAccount(account: string): Promise<string>;
  export(account: string): Promise<Record<string, unknown>>;
  activity(account: string): Promise<{ at: string; event: string; scenario: string | null }[]>;
  restrict(account: string, restricted: boolean): Promise<Account>;
  privacyLink(account: string): Promise<{ privacy_url: string; expires_at: string }>;
  answer(account: string, said: ConsentSaid): Promise<ConsentRecorded>;
  consents(account: string): Promise<Record<string, unknown>[]>;
  withdraw(account: string, scenario: string): Promise<string>;
  references(account: string): Promise<Record<string, unknown>[]>;
  deleteReference(account: string, reference: string): Promise<string>;
  openSession(wanted: SessionWanted): Promise<OpenedSession>;
  session(session: string): Promise<SessionState>;
  mintFlow(wanted: FlowWanted): Promise<{ flow_id: string; flow_url: string; expires_at: string }>;
  flow(flow: string): Promise<Record<string, unknown>>;
  introspect(token: string, options?: { once?: boolean }): Promise<{ active: boolean } & Record<string, unknown>>;
  jwks(): Promise<{ keys: Record<string, unknown>[] }>;
}

export function checkWebhook(
  body: string,
  headers: Headers | Record<string, string | undefined>,
  secret: string,
  options?: { now?: () => number },
): Promise<Record<string, unknown>>;
