# One catalogue per language, read by the pages and by the server. The three files have the same keys.

product-name = Hyeopjin
page-title = { $page } · Hyeopjin
page-signin = Sign in
page-worklist = Today’s consultations
page-case = Case
page-room = Consultation room
page-review = Review of a recording
loading = One moment…
language-label = Language
language-en = English
language-ko = 한국어
language-ru = Русский
sign-out = Sign out

## Roles
role-referring_physician = Referring physician
role-consulting_physician = Consulting physician
role-interpreter = Interpreter
role-coordinator = Coordinator
role-reviewer = Reviewer
role-site_admin = Site administrator
role-patient = Patient

## Sign in
signin-title = Sign in
signin-lead = Sign in to see your consultations and to review recordings.
signin-email = E-mail
signin-password = Password
signin-send = Sign in
signin-link-hint = If you were sent a link to a consultation, open that link. You do not need to sign in.
signin-wait = Too many attempts. Please try again in { $seconds } seconds.

## Worklist
worklist-title = Today’s consultations
worklist-lead = Times are shown at each place. You can join when the consultation is open.
worklist-empty-title = No consultations today
worklist-empty = When a consultation is planned for you, it appears here. You do not need to reload the page.
worklist-join = Join
worklist-case = Open the case
worklist-opens = Opens at { $time }
worklist-closed = Closed at { $time }
worklist-seats = Participants
worklist-present = in the room
worklist-local = Your time
worklist-recordings = Recordings
worklist-updated = Updated at { $time }
state-scheduled = Planned
state-live = In progress
state-ended = Ended
state-cancelled = Cancelled
state-other = State unknown

## Case
case-synthetic = Synthetic patient – not a real person
case-patient = Patient
case-name = Name
case-birth-date = Date of birth
case-sex = Sex
sex-female = Female
sex-male = Male
sex-other = Not stated
case-question = Question to the consulting physician
case-specialty = Specialty
case-consultations = Consultations
case-no-consultations = No consultation has been planned for this case yet.
case-recordings = Recordings
case-no-recordings = There is no recording of this case yet. It appears here after the first consultation.
case-review = Review
case-back = Back to the worklist
recording-length = Length { $length }
recording-state-recording = Being recorded now
recording-state-finalising = Being prepared
recording-state-ready = Ready to review
recording-state-failed = Could not be prepared
recording-state-other = State unknown

## Door
door-title = Before you join
door-lead = Check camera and sound, answer the question about recording, then join.
door-check-title = Camera and sound
door-join = Join the consultation
door-join-hint = You join with the camera and microphone as shown here. You can change them at any time.
door-join-first = First answer the question about recording. You can join whatever your answer is.
check-preview = Your own camera
check-asking = Your browser is asking for the camera and microphone. Please choose “Allow”.
check-camera-off = Camera off
check-no-camera = No camera picture
check-level = Microphone
check-sound = Test speaker
check-sound-hint = You should hear two soft notes. If not, turn up the volume or choose another speaker.
check-choose = Choose other devices
check-audio = Microphone
check-camera = Camera
check-speaker = Speaker
check-original = Send sound unfiltered (for a stethoscope or another sound that is not speech)
mic-turn-off = Mute
mic-turn-on = Unmute
camera-turn-off = Camera off
camera-turn-on = Camera on
device-both-denied = The browser may not use your camera and microphone. Press the camera sign in the address bar, choose “Allow”, then try again.
device-both-missing = No camera and no microphone were found. Plug them in, then try again.
device-both-busy = Another program is using the camera and microphone. Close it, then try again.
device-both-insecure = Browsers give camera and microphone only to secure addresses. Open this page with https.
device-both-other = Camera and microphone could not be started. Plug them in again or restart the browser.
device-audio-denied = The browser may not use your microphone. Press the microphone sign in the address bar, choose “Allow”, then try again.
device-audio-missing = No microphone was found. Plug one in, then try again.
device-audio-busy = Another program is using the microphone. Close it, then try again.
device-audio-insecure = Browsers give the microphone only to secure addresses. Open this page with https.
device-audio-other = The microphone could not be started. Plug it in again or restart the browser.
device-camera-denied = The browser may not use your camera. Press the camera sign in the address bar, choose “Allow”, then try again.
device-camera-missing = No camera was found. Plug one in, then try again.
device-camera-busy = Another program is using the camera. Close it, then try again.
device-camera-insecure = Browsers give the camera only to secure addresses. Open this page with https.
device-camera-other = The camera could not be started. Plug it in again or restart the browser.
device-join-anyway = You can also join without it: you will see and hear the others.
device-try-again = Try again

## Consent to recording. A change of meaning needs a new message with the next number.
consent-title = May this consultation be recorded at your seat?
consent-recording-v1 =
    The server records the sound and picture of your seat, so that the physicians in charge can review the consultation during follow-up care.
    Your seat is recorded only while every person at it agrees. If you decline, you take part as usual without being recorded, and everyone sees this.
    The microphones of other seats may pick up your voice from a loudspeaker; that cannot be separated from their recording.
    Recordings are encrypted. Only persons responsible for this case may watch them, and each viewing is logged. You may withdraw your consent at any time.
consent-accept = Yes, record
consent-decline = No, do not record
consent-granted = You agreed: your seat is recorded.
consent-declined = You declined: your seat is not recorded. You can take part as usual.
consent-change = Change my answer
persons-title = Who is at this seat?
persons-you = You
persons-name = Name of another person
persons-add = Add a person
persons-remove = Remove this person
persons-hint = Name everyone whom your camera or microphone picks up, for example the patient. Answer for all of them together.

## A used link
knock-title = This link is already in use
knock-name = Your name
knock-send = Ask to be let in
knock-hint = Those in the room see your name and decide.
knock-waiting = You asked to be let in. Please wait: someone in the room will answer.
knock-refused = You were not let in. Call the coordinator if this is a mistake.
knock-asks = asks for the seat of { $seat }
knock-check = Let in only a person you recognise. The device that holds this seat now will be disconnected.
knock-admit = Let in
knock-refuse = Refuse

## Room
room-participants = Participants
room-controls = Controls
room-elapsed = Elapsed
room-alone = You are the first one here
room-alone-hint = The others appear here as soon as they join. You need not do anything.
room-awaited = Not here yet
room-settings = Devices
room-leave = Leave
room-end = End for all
room-ending = The consultation ends for everyone in { $seconds } s
room-ending-undo = Do not end
room-tap-to-hear = Press here to hear the others
room-consent = Recording of your seat
room-consent-withdraw = Stop recording my seat
room-consent-grant = Record my seat
tile-label = { $name }, { $role }
tile-you = (you)
tile-away = Connection lost, returning…
tile-camera-off = Camera off
tile-mic-off = Microphone off
tile-not-recorded = Not recorded
tile-not-verified = Not verified
quality-good = Good connection
quality-fair = Fair connection
quality-poor = Poor connection
connection-connecting = Connecting…
connection-lost = Connection lost, returning…
connection-media-connecting = Connecting sound and picture…
connection-media-returning = Sound and picture interrupted, returning…
connection-poor = Poor connection – turning your camera off helps the sound
connection-good = Connected
notice-joined = { $name } has joined.
notice-left = { $name } has left.
notice-away = { $name } has lost the connection.
notice-back = { $name } is back.
notice-knock = { $name } asks to be let in.
light-off = Not recording
light-waiting = Recording not started
light-recording = Recording
light-degraded = Recording uncertain
light-paused = Nothing is being recorded
light-sealed = Recording complete
light-stored-until = stored up to { $time }
banner-degraded = Part of the consultation is not being recorded. You can go on talking.
banner-stale = The server has not confirmed the recording for more than 5 seconds. You can go on talking.
banner-track = { $name } – { $kind }: { $cause }
kind-audio = sound
kind-camera = camera
kind-screen = screen
kind-exam = examination picture
kind-other = track

## Why the visit is over
over-left-title = You have left the room
over-left = The others can go on. You can return while the consultation is open.
over-ended-title = The consultation has ended
over-ended = Thank you. The recording will be ready for review in a short while.
over-replaced-title = This seat is open in another window
over-replaced = You joined from another window or device, so this one was disconnected. Go on there, or return here.
over-revoked-title = Your access was withdrawn
over-revoked = You can no longer use this seat. Please ask the coordinator for a new link.
over-removed-title = Your seat was given to another device
over-removed = Someone in the room let another device in to this seat. If this is a mistake, open your link again and ask to be let in.
over-no-credential-title = Open your link
over-no-credential = This browser does not hold the seat. Open the link from your invitation, or sign in and join from the worklist.
over-other-title = You cannot enter right now
over-return = Return to the room
over-worklist = Go to the worklist

## Review
review-title = Review of the consultation
review-play = Play
review-pause = Pause
review-seek = Position in the recording
review-speed = Speed
review-back = Back to the case
review-back-10 = Back 10 seconds
review-forward-10 = Forward 10 seconds
review-voices = Voices
review-volume = Volume of { $name }
review-mute = Mute { $name }
review-unmute = Unmute { $name }
review-lanes = Time line
review-lane-label = { $name }, { $kind }: stored { $share } %
review-gap = { $from } – { $to }: { $cause }
review-present = { $from } – { $to }: stored
review-no-gaps = Complete, no gaps
review-recorded = Recorded { $date }
review-sync = Measured sync error: at most { $ms } ms
review-sync-unknown = Sync error not measured
review-chain-intact = Recording verified, unchanged
review-chain-broken = The recording was changed or is damaged
review-chain-other = Recording not verified yet
review-declined = Not recorded, because consent was declined: { $names }
review-camera-off = Camera off
review-no-picture = No picture here
review-buffering = Loading…
review-keys = Keys: space to play, ← → 5 seconds, Shift with ← → 30 seconds, Home to the start
review-preparing-title = The recording is being prepared
review-preparing = This usually takes less than a minute. The page continues by itself.
review-recording-title = The consultation is still being recorded
review-recording = You can review it soon after everyone has left. The page continues by itself.
review-failed-title = The recording could not be prepared
review-failed = What was recorded is kept. Please tell the administrator the number of this recording: { $id }
review-denied-title = You may not see this recording
review-empty = Nothing was recorded in this consultation.
review-local-time = Time at your place

## Causes of gaps
gap-muted = microphone off
gap-off = switched off
gap-camera-off = camera off
gap-absent = not in the room
gap-left = left the room
gap-away = connection lost
gap-disconnected = connection lost
gap-network = connection lost
gap-loss = packets lost on the way
gap-packet-loss = packets lost on the way
gap-silent = nothing arrives from the device
gap-no-packets = nothing arrives from the device
gap-store-slow = the disk was too slow
gap-not-stored = not confirmed by the disk
gap-disk-full = the disk is full
gap-store-error = the disk failed
gap-restart = the recording service restarted
gap-worker-restart = the recording service restarted
gap-killed = the recording service stopped unexpectedly
gap-crash = the recording service stopped unexpectedly
gap-no-consent = no consent
gap-declined = no consent
gap-withdrawn = consent withdrawn
gap-paused = recording paused
gap-not-recorded = not recorded
gap-corrupt = damaged
gap-between-epochs = the recording service restarted
gap-other = cause unknown

## Refusals
error-unexpected = Something went wrong ({ $code }). Please try again. If it happens again, tell the administrator this word.
error-network = The server cannot be reached. Check your internet connection and try again.
error-timeout = The server did not answer in time. Please try again.
error-unavailable = The server is busy. Please try again in a moment.
error-bad-request = The server could not understand this page. Please reload it.
error-bad-message = The server could not understand this page. Please reload it.
error-sign-in-required = Please sign in first.
error-sign-in-refused = E-mail or password is not right. Please check both and try again.
error-no-credential = This browser does not hold the seat. Open the link from your invitation.
error-forbidden = You may not open this. If you need it for your work, ask the coordinator.
error-cross-site = This request came from another site and was refused. Open the page at its own address.
error-not-found = This does not exist, or you may not see it. Check the address.
error-link-unknown = This link is not valid. Open it again from your invitation, whole; if that fails, ask the coordinator for a new one.
error-knock-unknown = Your request to be let in is no longer known. Please ask again.
error-method-not-allowed = The server could not understand this page. Please reload it.
error-link-used = Someone has already taken this seat with this link, perhaps you on another device. Go back to that device, or ask to be let in here.
error-link-unused = This link has not been used yet. Open it and answer the question about recording.
error-not-open = The consultation is not open now. Please come back at the planned time.
error-ended = The consultation has ended. Ask the coordinator if another one is needed.
error-consent-outdated = The consent text has changed. Please reload the page and answer again.
error-consent-missing = Please first answer the question about recording.
error-link-dead = This link is no longer valid, because the consultation has ended or was cancelled. Ask the coordinator for a new one.
error-too-large = This was too large to send.
error-json-only = The server could not understand this page. Please reload it.
error-range-not-satisfiable = The recording is shorter than asked for. Please reload the page.
error-too-many-attempts = Too many attempts. Please wait a minute and try again.
error-too-many-knocks = Too many requests to be let in. Please wait a few minutes and try again.
error-too-fast = That was too much at once. Please wait a moment and try again.
error-internal = The server made a mistake. Please try again; if it happens again, tell the administrator.
error-not-ready = The server is just starting. Please try again in a few seconds.
error-replaced = You joined from another window or device.
error-revoked = Your access was withdrawn. Please ask the coordinator.
error-removed = Another device was let in to this seat.
error-not-chair = Only the physician who chairs the consultation can do this.
error-not-in-room = You are not in the room at the moment. Please reload the page.
error-stale = The page was out of date. Please reload it.

## Printed by the server’s demo
demo-title = Demonstration with a synthetic patient
demo-hint = Open each link in its own window.
demo-column-role = Role
demo-column-name = Name
demo-column-language = Language
demo-column-link = Link
demo-column-email = E-mail
demo-column-password = Password
demo-seats = Seats
demo-accounts = Accounts

## Specialties as codes; other words are shown as the site wrote them
specialty-neurosurgery = Neurosurgery
specialty-cardiology = Cardiology
specialty-oncology = Oncology
specialty-orthopaedics = Orthopaedics
specialty-orthopedics = Orthopaedics
specialty-gastroenterology = Gastroenterology
specialty-surgery = General surgery
specialty-paediatrics = Paediatrics
