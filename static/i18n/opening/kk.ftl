# What an interpreter reads out when a session opens. One message a line, in this order.
# Still to be reviewed by a native interpreter: then remove the next message.
opening-review = pending
opening-greeting = Сәлеметсіздер ме. Менің есімім — { $name }, мен ауызша аудармашымын.
opening-everything = Мұнда айтылғанның бәрін толық әрі бірінші жақтан аударамын.
opening-confidential = Естігенімнің бәрін құпия сақтаймын. Чаттағы жазбалар да маған көрінеді.
opening-each-other = Маған емес, бір-біріңізге қарата, қысқа сөйлемдермен сөйлеп, екі-үш сөйлемнен кейін сәл кідіруіңізді өтінемін.
opening-asks = Бірдеңені түсінбесем, «аудармашы сұрайды» деп айтамын.
opening-hearing = Бәріңізді естіп тұрғаныма көз жеткізуім үшін қазір әрқайсыңыз бір сөзден айтуыңызды өтінемін.
