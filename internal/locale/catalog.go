package locale

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// catalogue is the sentences of one language by key.
type catalogue map[string]sentence

// sentence is a text cut at its placeholders: literal, name, literal, … ending
// with a literal.
type sentence struct {
	literals []string
	names    []string
}

// load reads every area of every language. A key found in two areas, a value
// that is not a string and an unclosed placeholder are errors.
func load(fsys fs.FS) (map[Lang]catalogue, error) {
	all := make(map[Lang]catalogue, len(Langs))
	for _, lang := range Langs {
		names, err := fs.Glob(fsys, path.Join("catalog", string(lang), "*.json"))
		if err != nil {
			return nil, err
		}
		cat, home := catalogue{}, map[string]string{}
		for _, name := range names {
			if err := loadArea(fsys, name, lang, cat, home); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		all[lang] = cat
	}
	return all, nil
}

func loadArea(fsys fs.FS, name string, lang Lang, cat catalogue, home map[string]string) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	// Token by token, because a map would keep the last of two equal keys
	// without a word.
	d := json.NewDecoder(f)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		v, err := d.Token()
		if err != nil {
			return err
		}
		key := k.(string)
		text, ok := v.(string)
		if !ok {
			return fmt.Errorf("%q: the sentence is not a string", key)
		}
		if other, twice := home[key]; twice {
			return fmt.Errorf("%q is already in %s", key, other)
		}
		home[key] = name
		if cat[key], err = parse(Typeset(lang, text)); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func parse(text string) (sentence, error) {
	var s sentence
	for {
		before, rest, ok := strings.Cut(text, "{")
		s.literals = append(s.literals, before)
		if !ok {
			return s, nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return s, fmt.Errorf("placeholder not closed or badly named after %q", before)
		}
		s.names = append(s.names, name)
		text = after
	}
}

// placeholders lists the names of a sentence, each once, in order.
func (s sentence) placeholders() []string {
	names := slices.Clone(s.names)
	slices.Sort(names)
	return slices.Compact(names)
}

// Keys lists every key of a language, in order.
func Keys(lang Lang) []string {
	cat := catalogues()[lang]
	keys := make([]string, 0, len(cat))
	for k := range cat {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Template gives the sentence of a key as it is typed, {placeholders} included,
// for who fills it otherwise. An unknown key gives the key and is noted in
// Missing.
func Template(lang Lang, key string) string {
	s, ok := catalogues()[lang][key]
	if !ok {
		noteMissing(lang, key)
		return key
	}
	var b strings.Builder
	for i, name := range s.names {
		b.WriteString(s.literals[i] + "{" + name + "}")
	}
	return b.String() + s.literals[len(s.names)]
}
