package privacy

// kind is how a value is written.
type kind int

const (
	plainText kind = iota
	number
	instant // milliseconds; 0 is empty
	aDay    // days since 1970; 0 is empty
	yesNo
	school    // a school's name
	incidentN // an incident's number
	coded     // a code whose words are in the catalogue: see words
)

// column is one column of a section; its heading is "privacy.field.NAME".
type column struct {
	name  string
	kind  kind
	words string // key before the code, for coded
}

// section is a part of what is held on somebody: a query of the tenant ($1),
// the person ($2) and the account ($3). Its words are "privacy.section.KEY"
// and "privacy.section.KEY.why".
type section struct {
	key     string
	query   string
	columns []column
	// of mails or letters: the query takes a message ($2) instead.
	each string
}

func col(name string, k kind) column { return column{name: name, kind: k} }

// sections are everything that is held on a person. TestEveryColumnIsGiven
// refuses a column of a table that refers to people and is neither here nor in
// notGiven.
var sections = []section{
	{key: "account", query: `SELECT login, name, role, locale, theme, provider, subject, disabled, created_at FROM account WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL`,
		columns: []column{col("login", plainText), col("name", plainText), {"role", coded, "role."}, col("locale", plainText), col("theme", plainText), col("provider", plainText), col("subject", plainText), col("disabled", yesNo), col("created_at", instant)}},
	{key: "card", query: `SELECT name, kind, school_id, email, phone, external FROM person WHERE tenant_id = $1 AND person_id = $2 AND person_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL`,
		columns: []column{col("name", plainText), {"kind", coded, "directory.person_kind."}, col("school_id", school), col("email", plainText), col("phone", plainText), col("external", plainText)}},
	{key: "reach", query: `SELECT school_id FROM account_school WHERE tenant_id = $1 AND account_id = $3 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY school_id`,
		columns: []column{col("school_id", school)}},
	{key: "sessions", query: `SELECT seen_at, expires_at FROM session WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY expires_at`,
		columns: []column{col("seen_at", instant), col("expires_at", instant)}},
	{key: "factor", query: `SELECT created_at, confirmed_at FROM account_factor WHERE tenant_id = $1 AND account_id = $3 AND CAST($2 AS BIGINT) IS NOT NULL`,
		columns: []column{col("created_at", instant), col("confirmed_at", instant)}},
	{key: "tokens", query: `SELECT label, created_at, expires_at, last_used_at, revoked_at FROM api_token WHERE tenant_id = $1 AND account_id = $3 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY token_id`,
		columns: []column{col("label", plainText), col("created_at", instant), col("expires_at", instant), col("last_used_at", instant), col("revoked_at", instant)}},
	{key: "declared", query: `SELECT incident_id, title, description, school_id, state, opened_at, resolved_at, closed_at, resolution, rating, rated_at FROM incident WHERE tenant_id = $1 AND declarant_id = $2 AND declarant_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY incident_id`,
		columns: []column{col("incident_id", incidentN), col("title", plainText), col("description", plainText), col("school_id", school), {"state", coded, "incident.state."}, col("opened_at", instant), col("resolved_at", instant), col("closed_at", instant), col("resolution", plainText), col("rating", plainText), col("rated_at", instant)}},
	{key: "handled", query: `SELECT incident_id, title, school_id, state, opened_at, resolved_at, resolution FROM incident WHERE tenant_id = $1 AND assignee_id = $2 AND assignee_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY incident_id`,
		columns: []column{col("incident_id", incidentN), col("title", plainText), col("school_id", school), {"state", coded, "incident.state."}, col("opened_at", instant), col("resolved_at", instant), col("resolution", plainText)}},
	{key: "followed", query: `SELECT incident_id FROM incident_follower WHERE tenant_id = $1 AND person_id = $2 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY incident_id`,
		columns: []column{col("incident_id", incidentN)}},
	{key: "mentions", query: `SELECT incident_id, at FROM incident_mention WHERE tenant_id = $1 AND person_id = $2 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY at`,
		columns: []column{col("incident_id", incidentN), col("at", instant)}},
	{key: "acts", query: `SELECT at, kind, subject_kind, subject_id, data FROM event WHERE tenant_id = $1 AND (actor_kind = 'account' AND actor_id = $3 AND actor_id <> 0 OR actor_kind = 'person' AND actor_id = $2 AND actor_id <> 0) ORDER BY xact, seq`,
		columns: []column{col("at", instant), col("act", plainText), col("subject_kind", plainText), col("subject_id", number), col("data", plainText)}},
	{key: "history", query: `SELECT at, kind, data FROM event WHERE tenant_id = $1 AND (subject_kind = 'person' AND subject_id = $2 AND subject_id <> 0 OR subject_kind = 'account' AND subject_id = $3 AND subject_id <> 0) ORDER BY xact, seq`,
		columns: []column{col("at", instant), col("act", plainText), col("data", plainText)}},
	{key: "read", query: `SELECT incident_id, read_at FROM incident_read WHERE tenant_id = $1 AND account_id = $3 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY read_at`,
		columns: []column{col("incident_id", incidentN), col("read_at", instant)}},
	{key: "present", query: `SELECT incident_id, until_at FROM incident_presence WHERE tenant_id = $1 AND account_id = $3 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY until_at`,
		columns: []column{col("incident_id", incidentN), col("until_at", instant)}},
	{key: "views", query: `SELECT name, query, created_at FROM saved_view WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY view_id`,
		columns: []column{col("name", plainText), col("query", plainText), col("created_at", instant)}},
	{key: "mails", each: "mails", query: `SELECT message_id, received_at, from_name, from_email, cc, subject, preview, incident_id FROM mail_message WHERE tenant_id = $1 AND message_id = $2`,
		columns: []column{col("message_id", number), col("received_at", instant), col("from_name", plainText), col("from_email", plainText), col("cc", plainText), col("subject", plainText), col("preview", plainText), col("incident_id", incidentN)}},
	{key: "sorted", query: `SELECT message_id, received_at, ended_at FROM mail_message WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY message_id`,
		columns: []column{col("message_id", number), col("received_at", instant), col("ended_at", instant)}},
	{key: "refused", query: `SELECT sender, created_at FROM mail_refused WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY created_at`,
		columns: []column{col("sender", plainText), col("created_at", instant)}},
	{key: "letters", each: "letters", query: `SELECT created_at, sent_at, address, subject, incident_id FROM notify_message WHERE tenant_id = $1 AND message_id = $2`,
		columns: []column{col("created_at", instant), col("sent_at", instant), col("address", plainText), col("subject", plainText), col("incident_id", incidentN)}},
	{key: "shown", each: "letters", query: `SELECT at, name, address, subject, body FROM notify_outbox WHERE tenant_id = $1 AND message_id = $2`,
		columns: []column{col("at", instant), col("name", plainText), col("address", plainText), col("subject", plainText), col("body", plainText)}},
	{key: "wishes", query: `SELECT topic, mode FROM notify_preference WHERE tenant_id = $1 AND person_id = $2 AND CAST($3 AS BIGINT) IS NOT NULL UNION ALL SELECT 'signals', body FROM signal_wish WHERE tenant_id = $1 AND person_id = $2 ORDER BY topic`,
		columns: []column{col("topic", plainText), col("mode", plainText)}},
	{key: "bounces", each: "addresses", query: `SELECT address, bounces, first_at, last_at, reason FROM notify_bounce WHERE tenant_id = $1 AND lower(address) = $2`,
		columns: []column{col("address", plainText), col("bounces", number), col("first_at", instant), col("last_at", instant), col("reason", plainText)}},
	{key: "answers", query: `SELECT incident_id, choice, rating, first_at, at FROM notify_answer WHERE tenant_id = $1 AND person_id = $2 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY at`,
		columns: []column{col("incident_id", incidentN), col("choice", plainText), col("rating", plainText), col("first_at", instant), col("at", instant)}},
	{key: "labels", each: "addresses", query: `SELECT received_at, name, email, title, description, incident_id FROM label_report WHERE tenant_id = $1 AND lower(email) = $2`,
		columns: []column{col("received_at", instant), col("name", plainText), col("email", plainText), col("title", plainText), col("description", plainText), col("incident_id", incidentN)}},
	{key: "visits", query: `SELECT visit_id, start_at, end_at, school_id, purpose, note, report FROM visit WHERE tenant_id = $1 AND technician_id = $2 AND technician_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY start_at`,
		columns: []column{col("visit_id", number), col("start_at", instant), col("end_at", instant), col("school_id", school), col("purpose", plainText), col("note", plainText), col("report", plainText)}},
	{key: "time", query: `SELECT day, minutes, school_id, incident_id, note FROM work_time WHERE tenant_id = $1 AND technician_id = $2 AND technician_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY time_id`,
		columns: []column{col("day", aDay), col("minutes", number), col("school_id", school), col("incident_id", incidentN), col("note", plainText)}},
	{key: "timer", query: `SELECT started_at, incident_id FROM work_timer WHERE tenant_id = $1 AND technician_id = $2 AND CAST($3 AS BIGINT) IS NOT NULL`,
		columns: []column{col("started_at", instant), col("incident_id", incidentN)}},
	{key: "feed", query: `SELECT changed_at, is_open FROM visit_feed WHERE tenant_id = $1 AND technician_id = $2 AND CAST($3 AS BIGINT) IS NOT NULL`,
		columns: []column{col("changed_at", instant), col("is_open", yesNo)}},
	{key: "stock", query: `SELECT at, kind, item_id, quantity, incident_id, reason FROM stock_movement WHERE tenant_id = $1 AND (actor_kind = 'account' AND actor_id = $3 AND actor_id <> 0 OR actor_kind = 'person' AND actor_id = $2 AND actor_id <> 0) ORDER BY movement_id`,
		columns: []column{col("at", instant), col("act", plainText), col("item_id", number), col("quantity", number), col("incident_id", incidentN), col("reason", plainText)}},
	{key: "bag", query: `SELECT name FROM stock_place WHERE tenant_id = $1 AND person_id = $2 AND person_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY place_id`,
		columns: []column{col("name", plainText)}},
	{key: "files", query: `SELECT attachment_id, name, size, put_at, incident_id FROM attachment WHERE tenant_id = $1 AND (put_by_kind = 'account' AND put_by_id = $3 AND put_by_id <> 0 OR put_by_kind = 'person' AND put_by_id = $2 AND put_by_id <> 0) ORDER BY attachment_id`,
		columns: []column{col("file_id", number), col("name", plainText), col("size", number), col("put_at", instant), col("incident_id", incidentN)}},
	{key: "articles", query: `SELECT article_id, use, incident_id, at FROM article_use WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY at`,
		columns: []column{col("article_id", number), col("use", plainText), col("incident_id", incidentN), col("at", instant)}},
	{key: "imports", query: `SELECT file_name, started_at, ended_at FROM import_run WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY run_id`,
		columns: []column{col("name", plainText), col("started_at", instant), col("ended_at", instant)}},
	{key: "profiles", query: `SELECT name, updated_at FROM import_profile WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY name`,
		columns: []column{col("name", plainText), col("updated_at", instant)}},
	{key: "batches", query: `SELECT batch_id, started_at, ended_at FROM batch WHERE tenant_id = $1 AND account_id = $3 AND account_id <> 0 AND CAST($2 AS BIGINT) IS NOT NULL ORDER BY batch_id`,
		columns: []column{col("batch_id", number), col("started_at", instant), col("ended_at", instant)}},
	{key: "problems", query: `SELECT problem_id, title FROM problem WHERE tenant_id = $1 AND owner_id = $2 AND owner_id <> 0 AND CAST($3 AS BIGINT) IS NOT NULL ORDER BY problem_id`,
		columns: []column{col("problem_id", number), col("title", plainText)}},
	{key: "exports", query: `SELECT last_at, what, format, question, entries, times, address FROM export_record WHERE tenant_id = $1 AND (account_id = $3 AND account_id <> 0 OR person_id = $2 AND person_id <> 0) ORDER BY record_id`,
		columns: []column{col("at", instant), col("what", plainText), col("format", plainText), col("question", plainText), col("entries", number), col("times", number), col("address", plainText)}},
}

// notGiven are the columns that refer to people and that an export leaves out,
// and why.
var notGiven = map[string]string{
	"account_recovery.account_id":  "one-way digests of codes",
	"account.person_id":            "the link to the person's card",
	"idempotency.account_id":       "keys against sending twice, for a day",
	"read_since.account_id":        "an instant of the unread marks",
	"service_clock.declarant_id":   "a copy of the incident's",
	"visit_settlement.account_id":  "work in hand between visits and incidents",
	"privacy_erasure.account_id":   "the erasure itself",
	"privacy_erasure.person_id":    "the erasure itself",
	"privacy_erasure.by_account":   "who asked for an erasure: in the journal",
	"privacy_retention.account_id": "who set a duration: in the journal",
	"notify_message.person_id":     "looked for with the addresses",
	"mail_message.person_id":       "looked for with the addresses",
	"attachment.removed_id":        "who removed a file: in the journal",
	"tenant.settings":              "of the département",
	"school.address":               "of a school",
}
