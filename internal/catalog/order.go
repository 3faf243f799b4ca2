package catalog

import (
	"context"
	"slices"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/sqldb"
)

func find(tree []Category, id int64) Category {
	for _, c := range tree {
		if c.ID == id {
			return c
		}
	}
	return Category{}
}

// MoveCategory moves a category among its siblings by some steps, up if
// negative; at an end it stays there. It tells whether anything moved.
func (s *Service) MoveCategory(ctx context.Context, by auth.Identity, id int64, steps int) (moved bool, err error) {
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := categories(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		at := find(stored, id)
		if at.ID == 0 {
			return nil, fault.New(fault.NotFound, "error.catalog.category_not_found")
		}
		list := slices.DeleteFunc(stored, func(c Category) bool { return c.Parent != at.Parent })
		inOrder(list, func(c Category) (int, string) { return c.Position, c.Label })
		var changes []change
		moved = shift(list, func(c Category) bool { return c.ID == id }, steps)
		for i, c := range list {
			if moved && c.Position != i+1 {
				c.Position = i + 1
				changes = append(changes, c.saved())
			}
		}
		return changes, nil
	})
	return moved, err
}

// MoveCode moves a code within its kind by some steps, up if negative; at an
// end it stays there. It tells whether anything moved.
func (s *Service) MoveCode(ctx context.Context, by auth.Identity, id int64, steps int) (moved bool, err error) {
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := codes(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(stored, func(c Code) bool { return c.ID == id })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "error.catalog.code_not_found")
		}
		kind := stored[i].Kind
		list := slices.DeleteFunc(stored, func(c Code) bool { return c.Kind != kind })
		inOrder(list, func(c Code) (int, string) { return c.Position, c.Label })
		var changes []change
		moved = shift(list, func(c Code) bool { return c.ID == id }, steps)
		for i, c := range list {
			if moved && c.Position != i+1 {
				c.Position = i + 1
				changes = append(changes, c.saved())
			}
		}
		return changes, nil
	})
	return moved, err
}

// shift moves the item that is meant by some steps within the list.
func shift[T any](list []T, meant func(T) bool, steps int) bool {
	from := slices.IndexFunc(list, meant)
	if from < 0 {
		return false
	}
	to := min(max(from+steps, 0), len(list)-1)
	item := list[from]
	if to < from {
		copy(list[to+1:from+1], list[to:from])
	} else {
		copy(list[from:to], list[from+1:to+1])
	}
	list[to] = item
	return to != from
}
