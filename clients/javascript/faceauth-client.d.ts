export class Problem extends Error {
  status: number;
  code: string;
  requestId: string | null;
  body: Record<string, unknown>;
}

export interface Notice {
  version: number;
  state: "scheduled" | "active" | "superseded" | "retired";
  material: boolean;
  material_because: string[];
  substance: Record<string, unknown> | null;
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
  flash_choice: boolean;
  device_key: "required" | "preferred" | "none";
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
  alternative: string;
}

export interface ConsentLine {
  consent_id: string;
  state: string;
  scenario: string;
  notice_version: number;
  notice_sha256: string;
  locale: string;
  event_at: string;
  valid_until: string | null;
  receipt: string;
}

export interface KeySet {
  keys: Record<string, unknown>[];
}

export interface Receipts {
  receipts: string[];
  jwks: KeySet;
}

export interface Activity {
  at: string;
  event: string;
  scenario: string | null;
}

export interface Reference {
  reference_id: string;
  scenario: string;
  model: string;
  created_at: string;
}

export interface Renewal {
  scenario: string;
  return_url: string;
  reauthenticated_at: string;
}

export interface PrivacyLink {
  privacy_url: string;
  expires_at: string;
  flow_id: string | null;
}

export interface DeviceChallenge {
  challenge: string;
  expires_at: string;
  options: Record<string, unknown> | null;
}

export interface DeviceWanted {
  kind: "webauthn" | "raw";
  label: string;
  reauthenticated_at: string;
  credential?: Record<string, unknown>;
  jwk?: { kty: "EC"; crv: "P-256"; x: string; y: string };
  signature?: string;
}

export interface Device {
  device_id: string;
  label: string;
  kind: "webauthn" | "raw";
  hardware: boolean;
  attested: string;
  created_at: string;
  last_used_at: string | null;
}

export interface Link {
  provider: string;
  subject: string;
  linked_at: string;
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

export interface MintedFlow {
  flow_id: string;
  flow_url: string;
  expires_at: string;
}

export interface Flow {
  flow_id: string;
  account_id: string;
  scenario: string;
  purpose: "enrol" | "verify";
  state: "open" | "refused" | "accepted" | "denied" | "expired" | "cancelled";
  reason: string | null;
  session_id: string | null;
  expires_at: string;
}

export interface Standing {
  active: boolean;
  iss?: string;
  sub?: string;
  aud?: string;
  iat?: number;
  nbf?: number;
  exp?: number;
  jti?: string;
  auth_time?: number;
  acr?: string;
  amr?: string[];
  scenario?: string;
  transaction_sha256?: string;
}

export class Faceauth {
  constructor(
    url: string,
    key: string,
    options?: { fetch?: typeof fetch; wait?: (seconds: number) => Promise<void>; timeoutS?: number },
  );
  scenarios(): Promise<Scenario[]>;
  notice(scenario: string, version: number, locale?: string): Promise<Notice>;
  putAccount(account: string, facts?: Partial<Pick<Account, "locale" | "birth_date" | "contact" | "guardian">>): Promise<Account>;
  account(account: string): Promise<Account>;
  closeAccount(account: string): Promise<string>;
  export(account: string): Promise<Record<string, unknown>>;
  receipts(account: string): Promise<Receipts>;
  activity(account: string): Promise<Activity[]>;
  restrict(account: string, restricted: boolean): Promise<Account>;
  restoreAttempts(account: string, reauthenticatedAt: string): Promise<boolean>;
  privacyLink(account: string, renewal?: Renewal): Promise<PrivacyLink>;
  answer(account: string, said: ConsentSaid): Promise<ConsentRecorded>;
  consents(account: string): Promise<ConsentLine[]>;
  withdraw(account: string, scenario: string): Promise<string>;
  references(account: string): Promise<Reference[]>;
  deleteReference(account: string, reference: string): Promise<string>;
  devices(account: string): Promise<Device[]>;
  deviceChallenge(account: string, kind: "webauthn" | "raw"): Promise<DeviceChallenge>;
  bindDevice(account: string, wanted: DeviceWanted): Promise<Device>;
  renameDevice(account: string, device: string, label: string): Promise<Device>;
  revokeDevice(account: string, device: string): Promise<void>;
  links(account: string): Promise<Link[]>;
  link(account: string, provider: string): Promise<Link>;
  putLink(account: string, provider: string, subject: string): Promise<Link>;
  deleteLink(account: string, provider: string): Promise<Link[]>;
  openSession(wanted: SessionWanted): Promise<OpenedSession>;
  session(session: string): Promise<SessionState>;
  mintFlow(wanted: FlowWanted): Promise<MintedFlow>;
  flow(flow: string): Promise<Flow>;
  introspect(token: string, options?: { once?: boolean }): Promise<Standing>;
  revokeToken(token: string): Promise<void>;
  jwks(): Promise<KeySet>;
}

export function checkWebhook(
  body: string,
  headers: Headers | Record<string, string | undefined>,
  secret: string,
  options?: { now?: () => number },
): Promise<Record<string, unknown>>;
