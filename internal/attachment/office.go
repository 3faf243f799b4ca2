package attachment

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// Bounds of an office document, which is a zip: what a look costs is bounded
// by them, whatever the file says of itself.
const (
	maxEntries   = 3000
	maxDirectory = 1 << 20   // bytes of the zip's list of entries
	maxUnfolded  = 150 << 20 // bytes, all entries together
	maxRatio     = 200       // unfolded to folded, of an entry past freeRatio
	freeRatio    = 2 << 20   // bytes
	endRecord    = 22        // bytes of the record that ends a zip, without its comment
	entryRecord  = 46        // bytes of an entry in the list, without its names
)

// lookOffice tells which office document a zip is. Each entry is unfolded to
// nowhere, so that what it says of its size is checked.
func lookOffice(src io.ReaderAt, size int64) (Type, error) {
	if err := lookDirectory(src, size); err != nil {
		return "", err
	}
	z, err := zip.NewReader(src, size)
	if err != nil {
		return "", errBroken
	}
	names := map[string]*zip.File{}
	var total uint64
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return "", errEncrypted
		}
		if f.UncompressedSize64 > maxUnfolded {
			return "", errBomb
		}
		total += f.UncompressedSize64
		if total > maxUnfolded || f.UncompressedSize64 > freeRatio && f.UncompressedSize64/max(f.CompressedSize64, 1) > maxRatio {
			return "", errBomb
		}
		names[f.Name] = f
	}
	t, err := officeType(names)
	if err != nil {
		return "", err
	}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := unfold(f); err != nil {
			return "", err
		}
	}
	return t, nil
}

// unfold reads an entry to nowhere and makes sure that it is as long as it says.
func unfold(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return errBroken
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(r, int64(f.UncompressedSize64)+1))
	switch {
	case n > int64(f.UncompressedSize64):
		return errBomb
	case err != nil:
		return errBroken
	}
	return nil
}

func officeType(names map[string]*zip.File) (Type, error) {
	for name := range names {
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, "vbaproject.bin") || strings.HasPrefix(lower, "basic/") || strings.HasPrefix(lower, "scripts/") || strings.Contains(lower, "activex/") {
			return "", errMacros
		}
	}
	if names["[Content_Types].xml"] != nil {
		switch {
		case names["word/document.xml"] != nil:
			return DOCX, nil
		case names["xl/workbook.xml"] != nil:
			return XLSX, nil
		}
		return "", errUnknown
	}
	if f := names["mimetype"]; f != nil {
		r, err := f.Open()
		if err != nil {
			return "", errBroken
		}
		defer r.Close()
		said, err := io.ReadAll(io.LimitReader(r, 100))
		if err != nil {
			return "", errBroken
		}
		switch t := Type(strings.TrimSpace(string(said))); t {
		case ODS, ODT:
			return t, nil
		default:
			return "", errUnknown
		}
	}
	return "", errArchive
}

// lookDirectory walks the list of entries before a library makes something of
// each: their number, and that the list ends where the zip says.
func lookDirectory(src io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, endRecord+1<<16))
	from := size - int64(len(tail))
	if _, err := src.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	end := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if end < 0 || len(tail)-end < endRecord {
		return errBroken
	}
	record := tail[end:]
	entries := int(binary.LittleEndian.Uint16(record[10:]))
	length := int64(binary.LittleEndian.Uint32(record[12:]))
	start := int64(binary.LittleEndian.Uint32(record[16:]))
	switch {
	case entries > maxEntries || length > maxDirectory:
		return errBomb
	case start+length != from+int64(end):
		return errBroken
	}
	list := make([]byte, length)
	if _, err := src.ReadAt(list, start); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for range entries {
		if len(list) < entryRecord || string(list[:4]) != "PK\x01\x02" {
			return errBroken
		}
		next := entryRecord
		for _, at := range []int{28, 30, 32} { // name, extra, comment
			next += int(binary.LittleEndian.Uint16(list[at:]))
		}
		if next > len(list) {
			return errBroken
		}
		list = list[next:]
	}
	if len(list) != 0 {
		return errBroken
	}
	return nil
}
