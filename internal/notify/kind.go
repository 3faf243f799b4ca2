package notify

import (
	"slices"

	"statincidents/internal/auth"
)

// Kinds of message; "notify.mail.KIND.subject" and ".body" are the product's
// own words for them.
const (
	KindReceived       = "received"        // your incident is recorded
	KindTaken          = "taken"           // somebody looks after it
	KindPlanned        = "planned"         // somebody comes, on that day
	KindWaiting        = "waiting"         // work has stopped, for that reason
	KindResolved       = "resolved"        // it should work again: does it?
	KindClosed         = "closed"          // the matter is closed
	KindCancelled      = "cancelled"       // it was no incident
	KindMerged         = "merged"          // followed under another number
	KindReopened       = "reopened"        // it goes on
	KindCommented      = "commented"       // somebody wrote to you
	KindFollowed       = "followed"        // something you have too moved
	KindAssigned       = "assigned"        // it is yours now
	KindWorkCommented  = "work_commented"  // somebody wrote in what you look after
	KindWorkReopened   = "work_reopened"   // it does not work after all
	KindMentioned      = "mentioned"       // somebody calls you
	KindQueued         = "queued"          // new in the queue
	KindSchoolNew      = "school_new"      // new in your school
	KindSchoolResolved = "school_resolved" // resolved in your school
	KindAtSchool       = "at_school"       // your school handles it first: your turn
	KindHandedOver     = "handed_over"     // your school handed it over to the département
	KindPassedOn       = "passed_on"       // the département has it, though your school did not hand it over
	KindVisitPlanned   = "visit_planned"   // somebody of the unit comes
	KindVisitMoved     = "visit_moved"     // at another moment
	KindVisitCancelled = "visit_cancelled" // nobody comes after all
	KindSignal         = "signal"          // something is out of the ordinary
	KindWarned         = "warned"          // soon late
	KindBreached       = "breached"        // late
	KindDigest         = "digest"          // several at once
	KindTest           = "test"            // does sending work?
	KindDirect         = "direct"          // what a person asked for themselves
)

// Topic is what people choose about: some kinds together. "notify.topic.NAME"
// is its translation key.
type Topic string

// The topics.
const (
	TopicReceived   Topic = "received"
	TopicProgress   Topic = "progress"
	TopicDiscussion Topic = "discussion"
	TopicResolved   Topic = "resolved"
	TopicEnded      Topic = "ended"
	TopicFollowed   Topic = "followed"
	TopicSchool     Topic = "school"
	TopicSchoolWork Topic = "school_work"
	TopicVisit      Topic = "visit"
	TopicAssigned   Topic = "assigned"
	TopicWork       Topic = "work"
	TopicMention    Topic = "mention"
	TopicQueue      Topic = "queue"
	TopicDeadline   Topic = "deadline"
	TopicSignal     Topic = "signal"
)

// Group is a heading of topics. "notify.group.NAME" is its translation key.
type Group struct {
	Name   string
	Topics []Topic
	right  auth.Right // who is concerned
	school bool       // referents
}

var groups = []Group{
	{Name: "mine", Topics: []Topic{TopicReceived, TopicProgress, TopicDiscussion, TopicResolved, TopicEnded, TopicVisit, TopicFollowed}, right: auth.DeclareIncident},
	{Name: "school", Topics: []Topic{TopicSchoolWork, TopicSchool, TopicSignal}, school: true},
	{Name: "work", Topics: []Topic{TopicAssigned, TopicWork, TopicMention, TopicQueue, TopicDeadline, TopicSignal}, right: auth.HandleIncident},
}

// GroupsOf lists what a role may choose about.
func GroupsOf(role auth.Role) []Group {
	var list []Group
	for _, g := range groups {
		if g.school && role == auth.Referent || !g.school && (auth.Identity{Role: role}).Can(g.right) {
			list = append(list, g)
		}
	}
	return list
}

// Mode is how soon somebody is told. "notify.mode.NAME" is its translation key.
type Mode string

// The modes.
const (
	Now   Mode = "now"
	Daily Mode = "daily" // in the morning, all together
	Never Mode = "never"
	// Weekly is on Monday morning, all together: for signals.
	Weekly Mode = "weekly"
)

// Modes lists the usual modes.
var Modes = []Mode{Now, Daily, Never}

// ModesOf lists the modes that a topic can have.
func ModesOf(topic Topic) []Mode {
	if topic == TopicSignal {
		return []Mode{Now, Weekly, Never}
	}
	return Modes
}

// topicOf says which choice decides about a kind; "" for what is always sent.
var topicOf = map[string]Topic{
	KindReceived: TopicReceived, KindTaken: TopicProgress, KindPlanned: TopicProgress, KindWaiting: TopicProgress, KindReopened: TopicProgress,
	KindResolved: TopicResolved, KindClosed: TopicEnded, KindCancelled: TopicEnded, KindMerged: TopicEnded, KindCommented: TopicDiscussion,
	KindFollowed: TopicFollowed, KindAssigned: TopicAssigned, KindWorkCommented: TopicWork, KindWorkReopened: TopicWork, KindMentioned: TopicMention,
	KindQueued: TopicQueue, KindSchoolNew: TopicSchool, KindAtSchool: TopicSchoolWork, KindPassedOn: TopicSchoolWork, KindHandedOver: TopicProgress, KindVisitPlanned: TopicVisit, KindVisitMoved: TopicVisit, KindVisitCancelled: TopicVisit, KindSchoolResolved: TopicSchool, KindSignal: TopicSignal, KindWarned: TopicDeadline, KindBreached: TopicDeadline,
}

// topicFor says which of a person's choices decides about a kind: what a
// referent handles at their school is the work of the school.
func topicFor(kind string, role auth.Role) Topic {
	topic := topicOf[kind]
	if role == auth.Referent && (topic == TopicAssigned || topic == TopicWork) {
		return TopicSchoolWork
	}
	return topic
}

// standing are the modes of a role that chose nothing, where they are not Now.
func standing(role auth.Role, topic Topic) Mode {
	switch {
	case topic == TopicSchool:
		return Daily
	case topic == TopicSignal && (role == auth.Lead || role == auth.Referent):
		return Weekly
	case topic == TopicSignal:
		return Never
	case topic == TopicQueue && role == auth.Technician:
		return Daily
	case topic == TopicQueue:
		return Never
	case topic == TopicDeadline && role != auth.Technician:
		return Daily
	}
	return Now
}

// Kinds lists the kinds that have words of their own, in the order of an
// incident's life.
var Kinds = []string{
	KindReceived, KindTaken, KindPlanned, KindWaiting, KindResolved, KindClosed, KindCancelled, KindMerged, KindReopened, KindCommented, KindFollowed,
	KindAssigned, KindWorkCommented, KindWorkReopened, KindMentioned, KindQueued, KindSchoolNew, KindSchoolResolved, KindAtSchool, KindHandedOver, KindPassedOn, KindVisitPlanned, KindVisitMoved, KindVisitCancelled, KindWarned, KindBreached, KindSignal,
}

// Variables are what words may use, between braces. Not every kind fills each:
// a paragraph whose variables are all empty is left out.
var Variables = []string{
	"number", "title", "place", "school", "room", "state", "priority", "name", "author", "assignee", "team", "reason", "date", "comment", "solution", "into", "due", "description", "tried", "first", "declarant", "technician", "purpose", "how", "was", "sentence", "since",
}

// extra are the variables that only some kinds fill; the others are always there.
var extra = map[string][]string{
	"reason":      {KindWaiting, KindFollowed},
	"date":        {KindPlanned, KindFollowed, KindVisitPlanned, KindVisitMoved, KindVisitCancelled},
	"comment":     {KindTaken, KindPlanned, KindWaiting, KindResolved, KindClosed, KindCancelled, KindReopened, KindCommented, KindFollowed, KindAssigned, KindWorkCommented, KindWorkReopened, KindMentioned, KindAtSchool},
	"solution":    {KindResolved, KindClosed, KindFollowed, KindSchoolResolved},
	"into":        {KindMerged},
	"due":         {KindWarned, KindBreached},
	"description": {KindAssigned, KindQueued, KindSchoolNew, KindAtSchool},
	"tried":       {KindQueued, KindHandedOver},
	"first":       {KindReceived},
	"declarant":   {KindAtSchool},
	"technician":  visitKinds,
	"purpose":     visitKinds,
	"how":         visitKinds,
	"was":         {KindVisitMoved},
	"sentence":    {KindSignal},
	"since":       {KindSignal},
}

// VariablesOf lists the variables that a kind fills.
func VariablesOf(kind string) []string {
	var list []string
	for _, v := range Variables {
		if kinds, some := extra[v]; !some || slices.Contains(kinds, kind) {
			list = append(list, v)
		}
	}
	return list
}
