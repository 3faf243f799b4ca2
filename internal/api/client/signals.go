package client

import (
	"context"
	"net/http"
	"net/url"

	"statincidents/internal/api/wire"
)

// Signals lists what is out of the ordinary, or was; filters are those of the
// operation ("state": "open").
func (c *Client) Signals(ctx context.Context, filters url.Values) (wire.Signals, error) {
	return get[wire.Signals](ctx, c, "signals", filters)
}

// Signal gives one signal.
func (c *Client) Signal(ctx context.Context, id int64) (wire.Signal, error) {
	return get[wire.Signal](ctx, c, "signals/"+number(id), nil)
}

// JudgeSignal says what one thinks of a signal; an empty verdict takes the
// judgement back.
func (c *Client) JudgeSignal(ctx context.Context, id int64, j wire.SignalJudgement) (wire.Signal, error) {
	return send[wire.Signal](ctx, c, http.MethodPut, "signals/"+number(id)+"/judgement", j)
}
