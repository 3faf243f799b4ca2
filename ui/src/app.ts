// Everything here makes pages quicker; every page works without it.
import "./hypermedia";
import "./files";
import "./draft";
import "./forms";
import "./keys";
import "./mention";
import "./picks";
import "./palette";
import "./live";
import "./times";
import "./look";
