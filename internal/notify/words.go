package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/locale"
	"statincidents/internal/sqldb"
)

// Words are the subject and the paragraphs of a kind of message in a language,
// with {variables}. Paragraphs are parted by an empty line; one that begins
// with ">" quotes what somebody wrote.
type Words struct {
	Kind    string
	Lang    locale.Lang
	Subject string
	Body    string
	Own     bool // the département's, not the product's
}

// Limits on the département's words, in characters.
const (
	MaxWordsSubject = 150
	MaxWordsBody    = 5000
)

// standardWords are the product's own.
func standardWords(kind string, lang locale.Lang) Words {
	return Words{Kind: kind, Lang: lang, Subject: locale.Template(lang, "notify.mail."+kind+".subject"), Body: locale.Template(lang, "notify.mail."+kind+".body")}
}

// WordsOf gives the words of a kind in a language.
func (s *Service) WordsOf(ctx context.Context, kind string, lang locale.Lang) (Words, error) {
	w := standardWords(kind, lang)
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT subject, body FROM notify_template WHERE tenant_id = $1 AND kind = $2 AND lang = $3`, s.cfg.Tenant, kind, string(lang))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			w.Own = true
			if err := rows.Scan(&w.Subject, &w.Body); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return Words{}, fmt.Errorf("notify: words: %w", err)
	}
	return w, nil
}

// OwnWords tells which words are the département's: by kind and language.
func (s *Service) OwnWords(ctx context.Context) (map[string]map[locale.Lang]bool, error) {
	own := map[string]map[locale.Lang]bool{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT kind, lang FROM notify_template WHERE tenant_id = $1`, s.cfg.Tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var lang locale.Lang
			if err := rows.Scan(&kind, &lang); err != nil {
				return err
			}
			if own[kind] == nil {
				own[kind] = map[locale.Lang]bool{}
			}
			own[kind][lang] = true
		}
		return rows.Err()
	})
	return own, err
}

// EventWords is the journal's trace of a change of words: who and when.
const (
	SubjectWords = "notify"
	EventWords   = SubjectWords + ".words_saved"
)

// CheckWords says what is wrong with words: a refusal beside each field.
func CheckWords(w Words) error {
	var f fault.Fields
	if !slices.Contains(Kinds, w.Kind) || !w.Lang.Valid() {
		return fault.New(fault.NotFound, "error.not_found")
	}
	for _, field := range []struct {
		name, text string
		most       int
	}{{"subject", w.Subject, MaxWordsSubject}, {"body", w.Body, MaxWordsBody}} {
		switch {
		case strings.TrimSpace(field.text) == "":
			f.Add(field.name, "error.field.required")
		case utf8.RuneCountInString(field.text) > field.most:
			f.Add(field.name, "error.field.too_long", "max", field.most)
		case !utf8.ValidString(field.text) || strings.ContainsAny(field.text, "\x00"):
			f.Add(field.name, "error.mailbox.characters")
		}
		if field.name == "subject" && strings.ContainsAny(field.text, "\r\n") {
			f.Add("subject", "error.mailbox.characters")
		}
		if wrong, ok := unknownVariable(field.text, VariablesOf(w.Kind)); !ok {
			f.Add(field.name, "error.notify.variable", "name", wrong)
		}
	}
	return f.Err()
}

// SaveWords replaces the words of a kind by the département's own. It needs
// the right ManageAccounts.
func (s *Service) SaveWords(ctx context.Context, by auth.Identity, w Words) error {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return err
	}
	w.Subject, w.Body = strings.TrimSpace(w.Subject), strings.TrimSpace(strings.ReplaceAll(w.Body, "\r\n", "\n"))
	if err := CheckWords(w); err != nil {
		return err
	}
	std := standardWords(w.Kind, w.Lang)
	if w.Subject == std.Subject && w.Body == std.Body {
		return s.ResetWords(ctx, by, w.Kind, w.Lang)
	}
	now := sqldb.Now()
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.Upsert(ctx, "notify_template", []string{"tenant_id", "kind", "lang"}, []string{"tenant_id", "kind", "lang", "subject", "body", "updated_at"},
			[][]any{{s.cfg.Tenant, w.Kind, string(w.Lang), w.Subject, w.Body, sqldb.Millis(now)}}); err != nil {
			return err
		}
		return s.wordsChanged(ctx, tx, by)
	})
}

// ResetWords goes back to the product's own words. It needs the right
// ManageAccounts.
func (s *Service) ResetWords(ctx context.Context, by auth.Identity, kind string, lang locale.Lang) error {
	if err := by.Require(auth.ManageAccounts); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM notify_template WHERE tenant_id = $1 AND kind = $2 AND lang = $3`, s.cfg.Tenant, kind, string(lang))
		if err != nil || n == 0 {
			return err
		}
		return s.wordsChanged(ctx, tx, by)
	})
}

func (s *Service) wordsChanged(ctx context.Context, tx *sqldb.Tx, by auth.Identity) error {
	return s.j.Append(ctx, tx, journal.Event{Tenant: s.cfg.Tenant, At: sqldb.Now(), Actor: by.Actor(), Subject: journal.Subject{Kind: SubjectWords, ID: s.cfg.Tenant}, Kind: EventWords})
}

// unknownVariable gives the first variable of a text that is none of the known,
// or the braces that do not close.
func unknownVariable(text string, known []string) (wrong string, ok bool) {
	for {
		_, rest, open := strings.Cut(text, "{")
		if !open {
			return "", true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !slices.Contains(known, name) {
			if !closed {
				name = cut(rest, 20)
			}
			return "{" + cut(name, 30), false
		}
		text = after
	}
}

// filled puts values in the place of variables. Used tells whether there were
// any, and empty whether all of them were empty.
func filled(text string, values map[string]string) (out string, used, empty bool) {
	var b strings.Builder
	empty = true
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		if !open {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			break
		}
		used = true
		if v := values[name]; v != "" {
			empty = false
			b.WriteString(v)
		}
		text = after
	}
	return b.String(), used, used && empty
}

// fill writes a message's subject and blocks.
func (w Words) fill(values map[string]string) (subject string, blocks []Block) {
	subject, _, _ = filled(w.Subject, values)
	for paragraph := range strings.SplitSeq(w.Body, "\n\n") {
		paragraph = strings.TrimSpace(paragraph)
		quote := strings.HasPrefix(paragraph, ">")
		text, _, empty := filled(strings.TrimSpace(strings.TrimPrefix(paragraph, ">")), values)
		if empty || strings.TrimSpace(text) == "" {
			continue
		}
		blocks = append(blocks, Block{Text: text, Quote: quote})
	}
	return clean(subject), blocks
}
