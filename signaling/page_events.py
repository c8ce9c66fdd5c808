"""A page's message as an event of its room. Must not: decide anything."""

from __future__ import annotations

from signaling import events as ev
from signaling import interpreting_events as ie
from signaling import messages as ms
from signaling import wire_interpreting as wi


def room_event(message: ms.Incoming, seat: str, socket: str) -> ev.PageEvent:
    """A page's message as an event of its room."""
    match message:
        case ms.Answer():
            return ev.Answered(seat, socket, message.connection, message.offer_id, message.sdp)
        case ms.MediaState():
            return ev.MediaChanged(seat, socket, message.mic, message.camera, message.screen)
        case ms.Quality():
            return ev.QualityReported(seat, socket, message.level, message.up_bps)
        case ms.Restart():
            return ev.RestartAsked(seat, socket)
        case ms.IceRestart():
            return ev.IceRestartAsked(seat, socket)
        case ms.Admit():
            return ev.KnockAnswered(seat, socket, message.knock, message.accept)
        case ms.Pause():
            return ev.PauseAsked(seat, socket, message.reason)
        case ms.Resume():
            return ev.ResumeAsked(seat, socket)
        case ms.View():
            shown = tuple((one.participant, one.kind, one.height) for one in message.shown)
            return ev.ViewChanged(seat, socket, shown)
        case ms.End():
            return ev.EndAsked(seat, socket)
        case ms.Leave():
            return ev.Left(seat, socket)
        case ms.Join():
            raise TypeError("join has its own way into the room")
        case _:
            return _interpreting(message, seat, socket)


def _interpreting(message: wi.IncomingInterpreting, seat: str, socket: str) -> ie.InterpretingEvent:
    match message:
        case wi.Mode():
            return ie.ModeChosen(seat, socket, message.mode)
        case wi.Direction():
            return ie.DirectionChosen(seat, socket, message.source, message.target)
        case wi.ChooseHearing():
            return ie.HearingChosen(seat, socket, message.choice)
        case wi.Floor():
            return ie.FloorGiven(seat, socket, message.participant)
        case wi.Listen():
            return ie.ListenChosen(seat, socket, message.participant)
        case wi.Signal():
            return ie.Signalled(seat, socket, message.kind)
        case wi.Handover():
            return ie.HandoverStepped(seat, socket, message.step)
        case wi.MutePassive():
            return ie.PassiveMuted(seat, socket)
        case wi.Partner():
            return ie.PartnerLine(seat, socket, message.on)
        case wi.PartnerText():
            return ie.PartnerTold(seat, socket, message.text)
        case wi.Step():
            return ie.Stepped(seat, socket, message.participant, message.out)
