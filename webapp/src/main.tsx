import { render } from "preact";
import "./style.css";

render(<p>Reading the run …</p>, document.getElementById("app")!);
