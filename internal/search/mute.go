package search

import "strings"

// Says tells whether a folded word says something by itself. Those that do not
// are the language's and politeness's; searching keeps them all the same, what
// compares texts leaves them out.
func Says(folded string) bool { return !mute[folded] }

var mute = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`au aux avec ce ces cet cette cela ca dans de des du elle elles en et eux il ils je la le les leur leurs lui ma mais me meme mes mon ne nos notre
		nous on ou par pas pour qu que qui sa se ses sur ta te tes ton tu un une vos votre vous y est sont etait etaient ete etre ai as avons avez ont avait avaient avoir suis sommes
		fait faire faut peut peuvent peux pouvez plus tres tout tous toute toutes si alors donc car comme quand ni sans sous entre vers chez depuis encore deja aussi ici la-bas rien
		bonjour bonsoir merci avance cordialement svp stp bonne journee madame monsieur mme mr equipe salutations veuillez avoir dont quel quelle quels quelles ceci celui celle afin
		the a an and or of to in on for is are be it this that with not my our we you have has had was were from at by as do does please hello thanks thank`) {
		m[w] = true
	}
	return m
}()
