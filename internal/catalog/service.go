package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Service is the catalogue of every tenant: its commands, and the Index that
// answers reads from memory.
type Service struct {
	db      *sqldb.DB
	journal *journal.Journal
	index   *sqldb.Memo[Index]
}

// New gives the catalogue kept in a database.
func New(db *sqldb.DB, j *journal.Journal) *Service {
	return &Service{db: db, journal: j, index: sqldb.NewMemo(db, "catalog.version", load)}
}

// Index gives the tenant's catalogue as it stands: this process's writes are
// in it at once, another's within a fifth of a second. It is immutable and
// cheap enough to ask for at each request.
func (s *Service) Index(ctx context.Context, tenant int64) (*Index, error) {
	return s.index.Get(ctx, tenant)
}

// Projection rebuilds the catalogue's tables from the journal.
func (s *Service) Projection() journal.Projection {
	return journal.Projection{
		Name:     "catalog",
		Subjects: []string{SubjectCategory, SubjectCode, SubjectMatrix, SubjectTile},
		Tables:   []string{"category", "code", "priority_matrix", "portal_tile"},
		Apply:    apply,
	}
}

// command runs fn in one transaction on behalf of someone who may edit the
// catalogue (or whose import brings new words), and writes the changes that
// fn decides on.
func (s *Service) command(ctx context.Context, by auth.Identity, fn func(ctx context.Context, tx *sqldb.Tx) ([]change, error)) error {
	if !by.Can(auth.ImportData) {
		if err := by.Require(auth.EditCatalog); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := s.index.Touch(ctx, tx, by.Tenant); err != nil {
			return err
		}
		changes, err := fn(ctx, tx)
		if err != nil || len(changes) == 0 {
			return err
		}
		now := sqldb.Now()
		events := make([]journal.Event, len(changes))
		for i, c := range changes {
			data, err := json.Marshal(c.state)
			if err != nil {
				return fmt.Errorf("catalog: write %s: %w", c.subject.Kind, err)
			}
			events[i] = journal.Event{Tenant: by.Tenant, At: now, Actor: by.Actor(), Subject: c.subject, Kind: c.subject.Kind + saved, Data: data}
		}
		if err := apply(ctx, tx, events); err != nil {
			return err
		}
		return s.journal.Append(ctx, tx, events...)
	})
}

// clean is a label as it is kept: no spaces around, none doubled inside.
func clean(label string) string { return strings.Join(strings.Fields(label), " ") }

const maxLabel = 200

func checkLabels(fields *fault.Fields, label, english string) {
	if label == "" {
		fields.Add("label", "error.field.required")
	}
	if len([]rune(label)) > maxLabel {
		fields.Add("label", "error.field.too_long", "max", maxLabel)
	}
	if len([]rune(english)) > maxLabel {
		fields.Add("label_en", "error.field.too_long", "max", maxLabel)
	}
}

// SaveCategory creates a category (ID 0) or changes the one of that ID, and
// gives it as kept. A label is free among its siblings, the tree has no loop
// and at most MaxDepth levels.
func (s *Service) SaveCategory(ctx context.Context, by auth.Identity, in Category) (Category, error) {
	in.Label, in.LabelEN, in.Icon = clean(in.Label), clean(in.LabelEN), clean(in.Icon)
	var fields fault.Fields
	checkLabels(&fields, in.Label, in.LabelEN)
	if len(in.Icon) > 60 {
		fields.Add("icon", "error.field.too_long", "max", 60)
	}
	if err := fields.Err(); err != nil {
		return Category{}, err
	}
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := categories(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		if isNew {
			in.ID = 0
		}
		if err := place(stored, in); err != nil {
			return nil, err
		}
		// What arrives under a parent goes last.
		if was := find(stored, in.ID); isNew && in.Position == 0 || !isNew && was.Parent != in.Parent {
			in.Position = 1
			for _, c := range stored {
				if c.Parent == in.Parent && c.ID != in.ID {
					in.Position = max(in.Position, c.Position+1)
				}
			}
		}
		if isNew {
			if in.ID, err = tx.NextIDs(ctx, by.Tenant, SubjectCategory, 1); err != nil {
				return nil, err
			}
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

// place checks where a category (new if its ID is 0) would stand in the tree.
func place(tree []Category, c Category) error {
	byID := make(map[int64]Category, len(tree))
	for _, other := range tree {
		byID[other.ID] = other
		if other.ID != c.ID && other.Parent == c.Parent && other.Label == c.Label {
			return fault.InvalidField("label", "error.catalog.label_taken", "label", c.Label)
		}
	}
	if c.ID != 0 {
		if _, ok := byID[c.ID]; !ok {
			return fault.New(fault.NotFound, "error.catalog.category_not_found")
		}
	}
	above := 0
	for id := c.Parent; id != 0; above++ {
		parent, ok := byID[id]
		if !ok {
			return fault.InvalidField("parent", "error.catalog.category_not_found")
		}
		if id == c.ID {
			return fault.InvalidField("parent", "error.catalog.loop")
		}
		id = parent.Parent
	}
	if above+1+depthBelow(tree, c.ID) > MaxDepth {
		return fault.InvalidField("parent", "error.catalog.too_deep", "limit", MaxDepth)
	}
	return nil
}

// depthBelow is how many levels stand under a category.
func depthBelow(tree []Category, id int64) int {
	if id == 0 {
		return 0
	}
	deepest := 0
	for _, c := range tree {
		if c.Parent == id {
			deepest = max(deepest, 1+depthBelow(tree, c.ID))
		}
	}
	return deepest
}

// SaveCode creates a code (ID 0) or changes the one of that ID, and gives it
// as kept. A code's kind never changes; a label is free within its kind.
func (s *Service) SaveCode(ctx context.Context, by auth.Identity, in Code) (Code, error) {
	in.Label, in.LabelEN = clean(in.Label), clean(in.LabelEN)
	var fields fault.Fields
	checkLabels(&fields, in.Label, in.LabelEN)
	if !slices.Contains(CodeKinds, in.Kind) {
		fields.Add("kind", "error.catalog.code_kind")
	}
	if err := fields.Err(); err != nil {
		return Code{}, err
	}
	in.Runs = in.Runs && in.Kind == Waiting
	isNew := in.ID == 0
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := codes(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		found := isNew
		for _, c := range stored {
			switch {
			case !isNew && c.ID == in.ID && c.Kind != in.Kind:
				return nil, fault.InvalidField("kind", "error.catalog.code_kind")
			case !isNew && c.ID == in.ID:
				found = true
			case c.Kind == in.Kind && c.Label == in.Label:
				return nil, fault.InvalidField("label", "error.catalog.label_taken", "label", in.Label)
			}
		}
		if !found {
			return nil, fault.New(fault.NotFound, "error.catalog.code_not_found")
		}
		if isNew {
			if in.Position == 0 {
				for _, c := range stored {
					if c.Kind == in.Kind {
						in.Position = max(in.Position, c.Position)
					}
				}
				in.Position++
			}
			if in.ID, err = tx.NextIDs(ctx, by.Tenant, SubjectCode, 1); err != nil {
				return nil, err
			}
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

// SaveMatrix changes the matrix of priorities. Incidents keep the priority
// that they were given.
func (s *Service) SaveMatrix(ctx context.Context, by auth.Identity, m Matrix) error {
	for _, row := range m {
		for _, p := range row {
			if p < 1 || p > 5 {
				return fault.InvalidField("matrix", "error.catalog.priority")
			}
		}
	}
	return s.command(ctx, by, func(context.Context, *sqldb.Tx) ([]change, error) {
		return []change{{subject: journal.Subject{Kind: SubjectMatrix, ID: by.Tenant}, state: m}}, nil
	})
}

// EnsureCategoryPaths makes sure that paths of labels, from the top, exist,
// and gives the identifier of each one's last category (0 for an empty path).
// What is already there is left as it is. A path deeper than MaxDepth is
// refused.
func (s *Service) EnsureCategoryPaths(ctx context.Context, by auth.Identity, paths [][]string) ([]int64, error) {
	nodes := make([][]Category, len(paths))
	for i, path := range paths {
		for _, label := range path {
			nodes[i] = append(nodes[i], Category{Label: label})
		}
	}
	return s.ensureCategories(ctx, by, nodes)
}

type siblings struct {
	parent int64
	label  string
}

// ensureCategories is EnsureCategoryPaths with what the new ones should be.
func (s *Service) ensureCategories(ctx context.Context, by auth.Identity, paths [][]Category) ([]int64, error) {
	for _, path := range paths {
		if len(path) > MaxDepth {
			return nil, fault.InvalidField("category", "error.catalog.too_deep", "limit", MaxDepth)
		}
		for i := range path {
			path[i].Label = clean(path[i].Label)
			var fields fault.Fields
			checkLabels(&fields, path[i].Label, path[i].LabelEN)
			if err := fields.Err(); err != nil {
				return nil, err
			}
		}
	}
	leaves := make([]int64, len(paths))
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := categories(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		known := make(map[siblings]int64, len(stored))
		count := map[int64]int{}
		for _, c := range stored {
			known[siblings{c.Parent, c.Label}] = c.ID
			count[c.Parent] = max(count[c.Parent], c.Position)
		}
		var changes []change
		for i, path := range paths {
			var parent int64
			for _, c := range path {
				id, ok := known[siblings{parent, c.Label}]
				if !ok {
					if id, err = tx.NextIDs(ctx, by.Tenant, SubjectCategory, 1); err != nil {
						return nil, err
					}
					count[parent]++
					c.ID, c.Parent, c.Position = id, parent, count[parent]
					known[siblings{parent, c.Label}] = id
					changes = append(changes, c.saved())
				}
				parent = id
			}
			leaves[i] = parent
		}
		return changes, nil
	})
	if err != nil {
		return nil, err
	}
	return leaves, nil
}

// EnsureCodes makes sure that codes of a kind exist and gives the identifier
// of each label asked for.
func (s *Service) EnsureCodes(ctx context.Context, by auth.Identity, kind CodeKind, labels []string) (map[string]int64, error) {
	in := make([]Code, len(labels))
	for i, label := range labels {
		in[i] = Code{Kind: kind, Label: label}
	}
	return s.ensureCodes(ctx, by, in)
}

// ensureCodes is EnsureCodes with what the new ones should be; all are of one kind.
func (s *Service) ensureCodes(ctx context.Context, by auth.Identity, in []Code) (map[string]int64, error) {
	for _, c := range in {
		var fields fault.Fields
		checkLabels(&fields, clean(c.Label), c.LabelEN)
		if !slices.Contains(CodeKinds, c.Kind) {
			fields.Add("kind", "error.catalog.code_kind")
		}
		if err := fields.Err(); err != nil {
			return nil, err
		}
	}
	var out map[string]int64
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := codes(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		type key struct {
			kind  CodeKind
			label string
		}
		known := make(map[key]int64, len(stored))
		last := map[CodeKind]int{}
		for _, c := range stored {
			known[key{c.Kind, c.Label}] = c.ID
			last[c.Kind] = max(last[c.Kind], c.Position)
		}
		out = make(map[string]int64, len(in))
		var changes []change
		for _, c := range in {
			asked := c.Label
			c.Label = clean(c.Label)
			k := key{c.Kind, c.Label}
			id, ok := known[k]
			if !ok {
				if id, err = tx.NextIDs(ctx, by.Tenant, SubjectCode, 1); err != nil {
					return nil, err
				}
				last[c.Kind]++
				c.ID, c.Position = id, last[c.Kind]
				known[k] = id
				changes = append(changes, c.saved())
			}
			out[asked] = id
		}
		return changes, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
