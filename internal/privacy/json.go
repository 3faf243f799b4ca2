package privacy

import (
	"bytes"
	"encoding/json"
	"strings"
)

// mapStrings replaces the string values of a JSON text and leaves every other
// byte as it is: keys, numbers, order, spaces. It gives the same slice when
// nothing changes.
func mapStrings(data []byte, fn func(string) string) []byte {
	var out bytes.Buffer
	at, changed := 0, false
	for i := 0; i < len(data); i++ {
		if data[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(data) {
			break // not JSON
		}
		literal := data[i : end+1]
		next := bytes.TrimLeft(data[end+1:], " \t\r\n")
		if isKey := len(next) > 0 && next[0] == ':'; !isKey {
			var s string
			if json.Unmarshal(literal, &s) == nil {
				if to := fn(s); to != s {
					out.Write(data[at:i])
					out.Write(quote(to, literal))
					at, changed = end+1, true
				}
			}
		}
		i = end
	}
	if !changed {
		return data
	}
	out.Write(data[at:])
	return out.Bytes()
}

// quote writes a string as the one before was written: with or without the
// escapes that HTML needs.
func quote(s string, like []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(!bytes.ContainsAny(like, "<>&"))
	if err := e.Encode(s); err != nil {
		return like // a string always encodes
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// mapText replaces the words of a column, which may hold JSON.
func mapText(text string, fn func(string) string) string {
	if t := strings.TrimLeft(text, " \t\r\n"); t != "" && (t[0] == '{' || t[0] == '[') && json.Valid([]byte(text)) {
		return string(mapStrings([]byte(text), fn))
	}
	return fn(text)
}
