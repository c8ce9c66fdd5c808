# What an interpreter reads out when a session opens. One message a line, in this order.
# Still to be reviewed by a native interpreter: then remove the next message.
opening-review = pending
opening-greeting = Assalomu alaykum. Mening ismim — { $name }, men ogʻzaki tarjimonman.
opening-everything = Bu yerda aytilgan hamma gapni toʻliq va birinchi shaxs tilidan tarjima qilaman.
opening-confidential = Eshitganlarimning barchasini sir saqlayman. Chatdagi yozuvlar ham menga koʻrinadi.
opening-each-other = Iltimos, menga emas, bir-biringizga murojaat qiling, qisqa gaplar bilan soʻzlang va har ikki-uch gapdan keyin biroz toʻxtang.
opening-asks = Biror narsani tushunmasam, “tarjimon soʻrayapti” deb aytaman.
opening-hearing = Hammangizni eshitayotganimga ishonch hosil qilishim uchun, iltimos, hozir har biringiz bittadan soʻz ayting.
