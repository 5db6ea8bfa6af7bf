// Package rocketchat connects an engine with the omnichannel of Rocket.Chat.
// Each handoff is a room of its own there, of a visitor of its own.
// docs/providers/rocketchat.md says how to set it up.
//
// The calls are those of Rocket.Chat's API documentation, the webhooks those of
// its page on webhooks for omnichannel. Where its OpenAPI documents are at hand,
// provider/spectest proves every request by them. The following is in neither:
//
//	what                                      where             if it is otherwise
//	GET livechat/message/{id} tells a         Open, Send        a repeat after a lost answer is refused or shown twice
//	  message under our id
//	what was done is answered with success:   all calls         it is tried again until it is given up
//	  true (every example, and ApiClass.ts)
//	servedBy of a webhook has the time at     joined            an agent who leaves and comes back is not told again;
//	  which the agent took the room                               his first message tells
//	a refused room has the error              Open              the next platform is tried all the same, under another
//	  no-agent-online                                             code
//	a file of an agent has title_link in       files             it comes as its name alone
//	  the webhook
//	the offline form takes an empty           tickets           what a user left is refused, and stays in the engine
//	  department and an empty host                                alone
//	open of rooms.info is missing once a      reading a state   a room that was closed looks open until the webhook
//	  room is closed                                              comes
//	rows of inquiries.list have a department  place             the place is that among all who wait
//
// Places come from the list of who waits (livechat/inquiries.list of
// omnichannel.yaml, read on 2026-11-26), which is read once for all rooms, in the
// order of Config.Sorting. Its rows have a department in Rocket.Chat's source
// (apps/meteor/app/livechat/imports/server/rest/inquiries.ts), by which each is
// counted among its own; its document shows none.
//
// The rest is on its real-time protocol (DDP on a websocket) alone, which the adapter
// speaks with Config.Dial: that somebody writes, both ways, and an estimate of the wait (the
// estimatedWaitingTimeQueue of its lists is a setting by which they are sorted). No
// webhook and no endpoint of omnichannel.yaml has either. How to connect and to
// subscribe is on the pages of its Realtime API, which calls itself deprecated. What
// is told, and to whom, is in Rocket.Chat's source alone (read on 2026-11-26):
//
//	what                                      where             if it is otherwise
//	a visitor's token in the arguments of a   socket            nothing is told on it
//	  subscription opens his room's streams
//	  (notifications.module.ts), without login
//	user-activity, and typing before it, name agent types       he is not told to write
//	  who writes and what he does (streams.ts)
//	queueData of stream-livechat-room has     wait              the place is the one that is read, the wait unknown
//	  spot and estimatedWaitTimeSeconds
//	  (livechat-enterprise/server/lib/Helper.ts)
//	livechat/config?token= has them in        wait              the first estimate comes with the first change
//	  queueInfo
//	the method stream-notify-room with        user types        agents do not see that the user writes
//	  {room}/user-activity, the visitor's
//	  name, what he does and his token is
//	  taken of him without login
//	  (notifications.module.ts, canType; as
//	  packages/livechat says it)
//	v.username of livechat/room names the     user types        agents see that "guest" writes, and another connection
//	  visitor                                                   of ours takes him for an agent
//	agents' clients forget it after 15        user types        what ends while there is no socket is shown for longer
//	  seconds (UserAction.ts)
//	one connection may call ten times in ten  user types        a user who begins and stops more often is not shown
//	  seconds (settings, rate.ts)
//
// Rocket.Chat before 4.0 does not take that the user writes: it has the name typing for
// it alone, which 6.0 takes from nobody (RocketChat/Rocket.Chat, pull requests 22392 and
// 28234). What it takes it passes on with the token to whoever reads the room's stream,
// as it does for its own widget: the room's agents, whose webhooks have it as well. It
// opens that one room.
//
// Who writes is told without a name: Rocket.Chat has the one that he logs in with.
package rocketchat
