# What an interpreter reads out when a session opens. One message a line, in this order.
opening-greeting = Good day. I am { $name }, the interpreter.
opening-everything = I render everything that is said here, completely and in the first person.
opening-confidential = Whatever I hear stays confidential. I read the chat as well.
opening-each-other = Please speak to each other, not to me, in short sentences, and pause after two or three.
opening-asks = If I do not understand something I will say: “the interpreter asks”.
opening-hearing = Please each say a word now, so that I know that I hear everybody.
